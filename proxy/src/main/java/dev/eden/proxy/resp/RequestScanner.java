package dev.eden.proxy.resp;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the end of one client request at a time, in RESP arrays or inline form (https://redis.io/docs/latest/develop/reference/protocol-spec/),
 * without reading the payloads: bodies are jumped over. Resumable at every byte: call {@link #scan} again with the same start once more
 * bytes have arrived. All offsets are relative to the frame's first byte, so the caller may move the frame to another buffer in between.
 * One per connection, reused; allocates nothing in the steady state. Limits and their messages are Redis' own (networking.c of 7.0).
 */
public final class RequestScanner {

    /** What {@link #scan} found. */
    public enum Status {
        /** A whole request: {@link #length()} and the arguments are valid. */
        COMPLETE,
        /** Not all bytes are here yet. */
        PARTIAL,
        /** Not all bytes are here, and it is known already that there will be more than the large limit. */
        LARGE
    }

    private static final int KEPT = 4;
    private static final int MAX_LINE = 64 * 1024;
    private static final int MAX_ARGUMENTS = 1024 * 1024;
    private static final long MAX_BULK = 512L * 1024 * 1024;

    private final int large;
    private final int[] offsets = new int[KEPT];
    private final int[] lengths = new int[KEPT];

    private long position;
    private int declared = -1;
    private int seen;
    private boolean inline;

    /** @param large requests longer than this many bytes are reported as {@link Status#LARGE} before they are whole */
    public RequestScanner(int large) {
        this.large = large;
    }

    /** Forgets the frame; the next {@link #scan} begins a new one. */
    public void reset() {
        position = 0;
        declared = -1;
        seen = 0;
        inline = false;
    }

    /**
     * Looks at the bytes of {@code in} from {@code start}, where the frame begins, to the writer index. Throws {@link ProtocolError} for
     * bytes that are no request; the connection must then be closed.
     */
    public Status scan(ByteBuf in, int start) {
        int available = in.writerIndex() - start;
        if (declared < 0) {
            if (available == 0) {
                return Status.PARTIAL;
            }
            if (in.getByte(start) != '*') {
                return scanInline(in, start, available);
            }
            long count = number(in, start + 1, available - 1, "too big mbulk count string", "invalid multibulk length");
            if (count == INCOMPLETE) {
                return Status.PARTIAL;
            }
            if (count > MAX_ARGUMENTS) {
                throw new ProtocolError("invalid multibulk length");
            }
            declared = (int) Math.max(0, count);
            position = 1 + numberLength;
        }
        while (seen < declared) {
            if (position >= available) {
                return position > large ? Status.LARGE : Status.PARTIAL;
            }
            int at = start + (int) position;
            byte type = in.getByte(at);
            if (type != '$') {
                throw new ProtocolError("expected '$', got '" + (char) (type & 0xff) + "'");
            }
            int left = available - (int) position - 1;
            long length = number(in, at + 1, left, "too big bulk count string", "invalid bulk length");
            if (length == INCOMPLETE) {
                return Status.PARTIAL;
            }
            if (length < 0 || length > MAX_BULK) {
                throw new ProtocolError("invalid bulk length");
            }
            position += 1 + numberLength;
            if (seen < KEPT) {
                offsets[seen] = (int) Math.min(position, Integer.MAX_VALUE);
                lengths[seen] = (int) length;
            }
            position += length + 2;
            seen++;
        }
        if (position > available) {
            return position > large ? Status.LARGE : Status.PARTIAL;
        }
        return Status.COMPLETE;
    }

    /** Bytes of the frame known so far; the whole length once it is complete. */
    public long length() {
        return position;
    }

    /** For streaming: the first {@code bytes} of the frame have been taken out of the buffer. Argument offsets are void afterwards. */
    public void forget(long bytes) {
        position -= bytes;
    }

    /** Number of arguments announced, the command's name included; 0 for an empty request. */
    public int count() {
        return Math.max(declared, 0);
    }

    /** Arguments whose bounds are known so far: {@link #offset} and {@link #argumentLength} answer for the first few of them. */
    public int known() {
        return Math.min(seen, KEPT);
    }

    public boolean inline() {
        return inline;
    }

    public int offset(int argument) {
        return offsets[argument];
    }

    public int argumentLength(int argument) {
        return lengths[argument];
    }

    /** Copies all arguments out of a complete frame that begins at {@code start}. */
    public static List<byte[]> arguments(ByteBuf in, int start) {
        ByteBuf view = in.duplicate().readerIndex(start);
        if (view.getByte(start) != '*') {
            throw new IllegalArgumentException("not an array");
        }
        if (view.getByte(start + 1) == '-') {
            return List.of(); // Redis passes over an array of negative length
        }
        int count = (int) readNumber(view);
        List<byte[]> arguments = new ArrayList<>(Math.min(count, 1024));
        for (int i = 0; i < count; i++) {
            byte[] argument = new byte[(int) readNumber(view)];
            view.readBytes(argument);
            view.skipBytes(2);
            arguments.add(argument);
        }
        return arguments;
    }

    private static long readNumber(ByteBuf view) {
        view.skipBytes(1);
        long value = 0;
        for (byte b = view.readByte(); b != '\n'; b = view.readByte()) {
            if (b != '\r') {
                value = value * 10 + (b - '0');
            }
        }
        return value;
    }

    // ---- header numbers

    private static final long INCOMPLETE = Long.MIN_VALUE;
    private int numberLength;

    /** Parses digits and line end at {@code at}; sets {@link #numberLength} to the bytes taken, line end included. */
    private long number(ByteBuf in, int at, int available, String tooLong, String invalid) {
        long value = 0;
        int i = 0;
        boolean negative = false;
        for (; i < available; i++) {
            byte b = in.getByte(at + i);
            if (b >= '0' && b <= '9') {
                if (i > 17) { // one more and the value would not fit
                    throw new ProtocolError(invalid);
                }
                value = value * 10 + (b - '0');
            } else if (b == '\r') {
                if (i + 1 >= available) {
                    return INCOMPLETE;
                }
                int digits = negative ? i - 1 : i;
                // As string2ll of Redis: a server that refused it would end a connection that others use.
                boolean padded = digits > 0 && in.getByte(at + i - digits) == '0' && (digits > 1 || negative);
                if (digits == 0 || padded || in.getByte(at + i + 1) != '\n') {
                    throw new ProtocolError(invalid);
                }
                numberLength = i + 2;
                return negative ? -value : value;
            } else if (b == '-' && i == 0) {
                negative = true;
            } else {
                throw new ProtocolError(invalid);
            }
        }
        if (i > MAX_LINE) {
            throw new ProtocolError(tooLong);
        }
        return INCOMPLETE;
    }

    // ---- inline requests

    private Status scanInline(ByteBuf in, int start, int available) {
        int end = in.indexOf(start, start + Math.min(available, MAX_LINE + 1), (byte) '\n');
        if (end < 0) {
            if (available > MAX_LINE) {
                throw new ProtocolError("too big inline request");
            }
            return Status.PARTIAL;
        }
        inline = true;
        declared = 0;
        position = end + 1L - start;
        return Status.COMPLETE;
    }

    /** Splits a complete inline request into its arguments, quotes and escapes as in {@code sdssplitargs} of Redis. */
    public List<byte[]> inlineArguments(ByteBuf in, int start) {
        String line = in.toString(start, (int) position, StandardCharsets.ISO_8859_1);
        return InlineArguments.split(line);
    }
}
