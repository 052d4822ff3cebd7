package dev.eden.proxy.fuzz;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.Random;

/** One decoder of what comes over the wire, and how to write what it reads. */
public abstract class FuzzedDecoder {
    private final String name;
    private final int weight;

    /** @param weight its share of the inputs: what costs much gets few */
    protected FuzzedDecoder(String name, int weight) {
        this.name = name;
        this.weight = weight;
    }

    public final String name() {
        return name;
    }

    final int weight() {
        return weight;
    }

    /** What a peer in its right mind says. */
    protected abstract byte[] sample(Random random);

    /** One message whose length is right and whose content is anything. */
    protected abstract byte[] frame(Random random);

    /** The same bytes with another number where a length stands; as they are where none does. */
    protected abstract byte[] lie(byte[] valid, long length, Random random);

    /**
     * Reads an input that comes in pieces, which end at {@code cuts}, ascending, the last one the end of the input. Throws only where the decoder has a
     * defect: a refusal is a verdict.
     */
    protected abstract Verdict read(byte[] input, int[] cuts);

    /** Before each run of inputs: whatever the last ones have left is gone. */
    protected void renew() {}

    /** @param seen everything that was made of the input, in an order that does not depend on the cuts */
    public record Verdict(Outcome outcome, String seen) {}

    public enum Outcome {
        /** Everything was read. */
        READ,
        /** It ends inside something. */
        UNFINISHED,
        REFUSED
    }

    protected static ByteBuf piece(byte[] input, int from, int to) {
        return Unpooled.directBuffer(Math.max(1, to - from)).writeBytes(input, from, to - from);
    }

    protected static byte[] random(Random random, int most) {
        byte[] bytes = new byte[random.nextInt(most + 1)];
        random.nextBytes(bytes);
        return bytes;
    }

    protected static byte[] replaced(byte[] bytes, int from, int to, byte[] by) {
        byte[] all = Arrays.copyOf(bytes, from + by.length + bytes.length - to);
        System.arraycopy(by, 0, all, from, by.length);
        System.arraycopy(bytes, to, all, from + by.length, bytes.length - to);
        return all;
    }

    @Override
    public final String toString() {
        return name;
    }
}
