package dev.eden.proxy.fuzz;

import dev.eden.proxy.fuzz.FuzzedDecoder.Outcome;
import dev.eden.proxy.fuzz.FuzzedDecoder.Verdict;
import dev.eden.proxy.postgres.FuzzedMessages;
import dev.eden.proxy.postgres.FuzzedSessions;
import dev.eden.proxy.postgres.FuzzedTexts;
import dev.eden.proxy.resp.FuzzedReplies;
import dev.eden.proxy.resp.FuzzedRequests;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Inputs that are wrong in all ways, through everything that reads the wire: each is read in one piece and again in pieces, and both have to come to the same.
 * Nothing but a refusal may come of it, no buffer may be left over, and no length that is only claimed may cost memory. An input is told by the seed and its number.
 */
public final class DecoderFuzz {
    /** Of an input of at most some kB, whatever it claims. */
    private static final long MOST_MEMORY = 2 << 20;

    private static final int TRIES = 5;
    private static final int RUN = 2_000;

    private static final com.sun.management.ThreadMXBean MEMORY =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Null without {@code -Dio.netty.allocator.type=unpooled}: then what one input takes cannot be told from what a pool keeps. */
    private static final @Nullable UnpooledByteBufAllocator UNPOOLED =
            ByteBufAllocator.DEFAULT instanceof UnpooledByteBufAllocator unpooled ? unpooled : null;

    private final long seed;
    private final List<FuzzedDecoder> decoders = List.of(
            new FuzzedMessages(),
            FuzzedSessions.startups(),
            FuzzedSessions.passwords(),
            FuzzedSessions.requests(),
            new FuzzedTexts(),
            new FuzzedRequests(),
            new FuzzedReplies());
    private final List<FuzzedDecoder> wheel = new ArrayList<>();
    private final Map<String, long[]> counts = new TreeMap<>();
    private final Map<Shape, long[]> shapes = new TreeMap<>();

    public DecoderFuzz(long seed) {
        this.seed = seed;
        for (FuzzedDecoder decoder : decoders) {
            for (int i = 0; i < decoder.weight(); i++) {
                wheel.add(decoder);
            }
        }
    }

    /** The inputs of these numbers; throws an {@link AssertionError} that tells the first that shows a defect. */
    public void run(long from, long to) {
        long before = buffers();
        for (long number = from; number < to; number++) {
            if (number % RUN == 0 || number == from) {
                decoders.forEach(FuzzedDecoder::renew);
                if (buffers() != before) {
                    throw new AssertionError("seed " + seed + ": the inputs before " + number + " left "
                            + (buffers() - before) + " bytes of buffers");
                }
            }
            one(number);
        }
        decoders.forEach(FuzzedDecoder::renew);
        if (buffers() != before) {
            throw new AssertionError("seed " + seed + ": " + (buffers() - before) + " bytes of buffers are left");
        }
    }

    private void one(long number) {
        Random random = new Random(seed * 1_000_003 + number);
        random.nextInt(); // the first of neighbouring seeds are alike
        FuzzedDecoder decoder = wheel.get(random.nextInt(wheel.size()));
        Shape shape = Shape.values()[random.nextInt(Shape.values().length)];
        byte[] input = shape.make(decoder, random);
        try {
            Verdict whole = measured(decoder, input, new int[] {input.length});
            int[] cuts = cuts(input.length, random);
            Verdict cut = measured(decoder, input, cuts);
            if (!whole.equals(cut)) {
                throw new AssertionError("whole: " + whole + "\ncut at " + Arrays.toString(cuts) + ": " + cut);
            }
            count(counts.computeIfAbsent(decoder.name(), _ -> new long[Outcome.values().length]), whole.outcome());
            count(shapes.computeIfAbsent(shape, _ -> new long[Outcome.values().length]), whole.outcome());
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(
                    "seed " + seed + ", input " + number + ", " + decoder + ", " + shape + ": "
                            + HexFormat.of().formatHex(input) + "\n" + e,
                    e);
        }
    }

    private static void count(long[] outcomes, Outcome outcome) {
        outcomes[outcome.ordinal()]++;
    }

    /** At some places, or at every byte. */
    private static int[] cuts(int length, Random random) {
        if (random.nextInt(8) == 0) {
            int[] all = new int[Math.max(1, length)];
            Arrays.setAll(all, i -> Math.min(length, i + 1));
            return all;
        }
        int[] some = new int[2 + random.nextInt(3)];
        Arrays.setAll(some, _ -> random.nextInt(length + 1));
        some[0] = length;
        Arrays.sort(some);
        return some;
    }

    private static Verdict measured(FuzzedDecoder decoder, byte[] input, int[] cuts) {
        for (int tries = 1; ; tries++) { // the first ones of their kind also load classes
            long before = MEMORY.getCurrentThreadAllocatedBytes();
            Verdict verdict = decoder.read(input, cuts);
            long used = MEMORY.getCurrentThreadAllocatedBytes() - before;
            if (used <= MOST_MEMORY || UNPOOLED == null) {
                return verdict;
            }
            if (tries == TRIES) {
                throw new AssertionError(input.length + " bytes made it take " + used + " bytes of memory");
            }
        }
    }

    /** Bytes of buffers that nobody has given back. */
    private static long buffers() {
        return UNPOOLED == null
                ? 0
                : UNPOOLED.metric().usedDirectMemory() + UNPOOLED.metric().usedHeapMemory();
    }

    /** Markdown: decoders, then shapes, with their counts. */
    public String report() {
        StringBuilder out = new StringBuilder("| | inputs | read | unfinished | refused |\n|---|---|---|---|---|\n");
        counts.forEach((name, outcomes) -> row(out, name, outcomes));
        shapes.forEach((shape, outcomes) ->
                row(out, shape.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '), outcomes));
        return out.toString();
    }

    private static void row(StringBuilder out, String name, long[] outcomes) {
        out.append("| ")
                .append(name)
                .append(" | ")
                .append("%,d".formatted(Arrays.stream(outcomes).sum()));
        for (long outcome : outcomes) {
            out.append(" | ").append("%,d".formatted(outcome));
        }
        out.append(" |\n");
    }

    /** {@code [COUNT] [SEED] [FIRST]}, for docs/fuzz.sh; an input that failed is {@code 1 SEED ITS_NUMBER}. */
    public static void main(String[] arguments) {
        long count = arguments.length > 0 ? Long.parseLong(arguments[0]) : 10_000_000;
        long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : System.nanoTime();
        long first = arguments.length > 2 ? Long.parseLong(arguments[2]) : 0;
        if (UNPOOLED == null) {
            throw new IllegalStateException("buffers cannot be counted: -Dio.netty.allocator.type=unpooled");
        }
        System.out.println("seed " + seed);
        DecoderFuzz fuzz = new DecoderFuzz(seed);
        long began = System.nanoTime();
        fuzz.run(first, first + count);
        double seconds = (System.nanoTime() - began) / 1e9;
        System.out.print(fuzz.report());
        System.out.printf(
                "%,d inputs, each whole and in pieces, in %.0f s: %,.0f a second; no buffer is left%n",
                count, seconds, count / seconds);
    }
}
