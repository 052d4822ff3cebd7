package dev.eden.proxy.postgres;

import dev.eden.proxy.fuzz.FuzzedDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.Random;

/** What a PostgreSQL says: where each message ends, which are needed whole, and what an error of its says. */
public final class FuzzedMessages extends FuzzedDecoder {
    /** As {@link ServerAnswers} has it, with an exchange of the proxy's own under way or none. */
    private static final String WHOLE = "ZESKRv123tTnCIsGWA";

    private static final String TYPES = WHOLE + "DdNHcV";

    public FuzzedMessages() {
        super("postgres servers", 30);
    }

    @Override
    protected byte[] sample(Random random) {
        ByteBuf out = Unpooled.buffer();
        for (int more = random.nextInt(6); more >= 0; more--) {
            switch (random.nextInt(6)) {
                case 0 ->
                    ErrorMessage.error("22012", "division by zero")
                            .hint("do not")
                            .write(out);
                case 1 -> Message.parameterStatus(out, "TimeZone", "Asia/Tokyo");
                case 2 -> Message.readyForQuery(out, 'I');
                case 3 -> Message.commandComplete(out, "SELECT 1");
                default -> {
                    int at = Message.begin(out, 'D');
                    out.writeShort(1).writeInt(5).writeBytes(new byte[] {'h', 'e', 'l', 'l', 'o'});
                    Message.end(out, at);
                }
            }
        }
        return taken(out);
    }

    @Override
    protected byte[] frame(Random random) {
        byte[] body = random(random, 60);
        return taken(Unpooled.buffer()
                .writeByte(TYPES.charAt(random.nextInt(TYPES.length())))
                .writeInt(4 + body.length)
                .writeBytes(body));
    }

    @Override
    protected byte[] lie(byte[] valid, long length, Random random) {
        return lied(valid, length, random, 0);
    }

    static byte[] taken(ByteBuf out) {
        byte[] bytes = ByteBufUtil.getBytes(out);
        out.release();
        return bytes;
    }

    /** Another length in one of the messages that begin at {@code first}. */
    static byte[] lied(byte[] valid, long length, Random random, int first) {
        byte[] bytes = valid.clone();
        ByteBuf view = Unpooled.wrappedBuffer(bytes);
        int chosen = -1;
        int seen = 0;
        for (int at = first; at + Message.HEADER <= bytes.length; at += 1 + Math.max(4, view.getInt(at + 1))) {
            seen++;
            if (random.nextInt(seen) == 0) {
                chosen = at;
            }
        }
        if (chosen >= 0) {
            view.setInt(chosen + 1, (int) length);
        }
        return bytes;
    }

    @Override
    protected Verdict read(byte[] input, int[] cuts) {
        FrameScanner scanner = new FrameScanner();
        Reader reader = new Reader();
        int from = 0;
        try {
            for (int cut : cuts) {
                scanner.read(piece(input, from, cut), reader);
                from = cut;
            }
        } catch (ProtocolViolation e) {
            return new Verdict(
                    Outcome.REFUSED, reader.seen.append(e.getMessage()).toString());
        } finally {
            scanner.release();
        }
        boolean ended = reader.begun == input.length;
        return new Verdict(
                ended ? Outcome.READ : Outcome.UNFINISHED,
                reader.seen
                        .append(reader.passed)
                        .append(' ')
                        .append(reader.hash)
                        .toString());
    }

    private static final class Reader implements FrameScanner.Sink {
        final StringBuilder seen = new StringBuilder();
        /** Of all messages that have begun. */
        long begun;

        long passed;
        int hash;

        @Override
        public boolean whole(byte type) {
            return WHOLE.indexOf(type) >= 0;
        }

        @Override
        public FrameScanner.Verdict message(byte type, ByteBuf buffer, int index, int total) {
            begun += total;
            byte[] bytes = new byte[total];
            buffer.getBytes(index, bytes);
            seen.append((char) type).append(Arrays.hashCode(bytes)).append(' ');
            if (type == 'E') {
                seen.append(ErrorMessage.read(buffer, index, total));
            }
            return switch (type) {
                case 'Z' -> FrameScanner.Verdict.PASS_THEN_CUT;
                case 'S', 'K' -> FrameScanner.Verdict.DROP;
                case '3' -> FrameScanner.Verdict.DROP_THEN_CUT;
                default -> FrameScanner.Verdict.PASS;
            };
        }

        @Override
        public FrameScanner.Verdict streamed(byte type, int total) {
            begun += total;
            seen.append((char) type).append('/').append(total).append(' ');
            return type == 'N' ? FrameScanner.Verdict.DROP : FrameScanner.Verdict.PASS;
        }

        @Override
        public void pass(ByteBuf slice) {
            passed += slice.readableBytes();
            while (slice.isReadable()) {
                hash = 31 * hash + slice.readByte();
            }
            slice.release();
        }

        @Override
        public void cut() {
            seen.append("cut at ").append(passed).append(' ');
        }
    }
}
