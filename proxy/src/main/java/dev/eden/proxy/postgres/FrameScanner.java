package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Walks the messages of a server, however the network cuts them, and hands them on in slices as long as possible: rows are never copied or
 * collected. Only messages that the {@link Sink} wants whole are, and copied only where a read ends inside one.
 */
final class FrameScanner {
    /** A message that must be whole and is longer than this is no message of a server in its right mind. */
    private static final int MAX_WHOLE = 64 << 20;

    enum Verdict {
        PASS,
        DROP,
        /** Passes, and {@link Sink#cut} follows when it has gone. */
        PASS_THEN_CUT,
        /** Is dropped, and {@link Sink#cut} follows. */
        DROP_THEN_CUT
    }

    /** Where messages go. */
    interface Sink {
        /** True: this message is needed whole; false: it is streamed. */
        boolean whole(byte type);

        /** A whole message, from its type byte at {@code index}. */
        Verdict message(byte type, ByteBuf buffer, int index, int total);

        /** The head of a streamed message; {@code PASS} or {@code DROP}. */
        Verdict streamed(byte type, int total);

        /** Bytes to pass on: any number of messages, or part of one. The callee owns the buffer. */
        void pass(ByteBuf slice);

        /** Everything up to the message that asked for it has been passed. */
        void cut();
    }

    private @Nullable ByteBuf partial;
    private int streaming;
    private boolean dropping;

    /** Takes the buffer over. Throws {@link ProtocolViolation}. */
    void read(ByteBuf chunk, Sink sink) {
        try {
            int at = chunk.readerIndex();
            int limit = chunk.writerIndex();
            int run = at;
            while (at < limit) {
                if (streaming > 0) {
                    int step = Math.min(streaming, limit - at);
                    streaming -= step;
                    if (dropping) {
                        flush(chunk, run, at, sink);
                        run = at + step;
                    }
                    at += step;
                    continue;
                }
                if (partial != null || limit - at < Message.HEADER) {
                    flush(chunk, run, at, sink);
                    at = complete(chunk, at, limit, sink);
                    run = at;
                    continue;
                }
                byte type = chunk.getByte(at);
                int total = total(chunk.getInt(at + 1));
                if (!sink.whole(type)) {
                    streaming = total;
                    dropping = sink.streamed(type, total) == Verdict.DROP;
                    continue;
                }
                if (limit - at < total) {
                    flush(chunk, run, at, sink);
                    at = complete(chunk, at, limit, sink);
                    run = at;
                    continue;
                }
                Verdict verdict = sink.message(type, chunk, at, total);
                int end = at + total;
                switch (verdict) {
                    case PASS -> at = end;
                    case DROP -> {
                        flush(chunk, run, at, sink);
                        at = end;
                        run = end;
                    }
                    case PASS_THEN_CUT -> {
                        flush(chunk, run, end, sink);
                        at = end;
                        run = end;
                        sink.cut();
                    }
                    case DROP_THEN_CUT -> {
                        flush(chunk, run, at, sink);
                        at = end;
                        run = end;
                        sink.cut();
                    }
                }
            }
            flush(chunk, run, at, sink);
        } finally {
            chunk.release();
        }
    }

    /** Goes on with a message that an earlier read left incomplete, or begins to collect one; answers where reading goes on. */
    private int complete(ByteBuf chunk, int from, int limit, Sink sink) {
        int at = from;
        ByteBuf collected = partial;
        if (collected == null) {
            collected = ByteBufAllocator.DEFAULT.buffer(64);
            partial = collected;
        }
        int missing = Message.HEADER - collected.readableBytes();
        if (missing > 0) {
            int step = Math.min(missing, limit - at);
            collected.writeBytes(chunk, at, step);
            at += step;
            if (step < missing) {
                return at;
            }
        }
        byte type = collected.getByte(0);
        int total = total(collected.getInt(1));
        if (!sink.whole(type)) {
            partial = null;
            streaming = total - Message.HEADER;
            dropping = sink.streamed(type, total) == Verdict.DROP;
            if (dropping) {
                collected.release();
            } else {
                sink.pass(collected);
            }
            return at;
        }
        if (total > MAX_WHOLE) {
            throw new ProtocolViolation("message " + (char) type + " of " + total + " bytes");
        }
        int step = Math.min(total - collected.readableBytes(), limit - at);
        collected.writeBytes(chunk, at, step);
        at += step;
        if (collected.readableBytes() < total) {
            return at;
        }
        partial = null;
        Verdict verdict = sink.message(type, collected, 0, total);
        if (verdict == Verdict.PASS || verdict == Verdict.PASS_THEN_CUT) {
            sink.pass(collected);
        } else {
            collected.release();
        }
        if (verdict == Verdict.PASS_THEN_CUT || verdict == Verdict.DROP_THEN_CUT) {
            sink.cut();
        }
        return at;
    }

    /** True where part of a message has been passed on and its rest is still to come. */
    boolean passing() {
        return streaming > 0 && !dropping;
    }

    private static int total(int length) {
        if (length < 4 || length > Message.MAX_LENGTH) {
            throw new ProtocolViolation("message length " + length);
        }
        return length + 1;
    }

    private static void flush(ByteBuf chunk, int from, int to, Sink sink) {
        if (to > from) {
            sink.pass(chunk.retainedSlice(from, to - from));
        }
    }

    void release() {
        ByteBuf collected = partial;
        if (collected != null) {
            partial = null;
            collected.release();
        }
    }
}
