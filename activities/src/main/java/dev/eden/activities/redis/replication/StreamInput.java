package dev.eden.activities.redis.replication;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * The bytes of a replica link, RDB and commands alike, through one growing window. A {@linkplain #mark marked} run of bytes stays
 * contiguous in {@link #buffer}, so that a value or a command is copied only once, to where it goes. One thread.
 */
final class StreamInput {
    private static final int INITIAL = 1 << 18;
    private static final int UNMARKED = -1;

    private final InputStream in;
    private byte[] buffer = new byte[INITIAL];
    private int position;
    private int limit;
    private int mark = UNMARKED;
    private int maxRun = Integer.MAX_VALUE - 16;
    private long discarded;
    private boolean summing;
    private int summed;
    private long sum;

    StreamInput(InputStream in) {
        this.in = in;
    }

    /** A marked run grew beyond its limit. */
    static final class RunTooLongException extends IOException {
        RunTooLongException(long length) {
            super("more than " + length + " bytes in one piece");
        }
    }

    byte[] buffer() {
        return buffer;
    }

    int position() {
        return position;
    }

    /** Bytes consumed since this input was made. */
    long consumed() {
        return discarded + position;
    }

    /** Bytes that can be read without touching the stream. */
    int buffered() {
        return limit - position;
    }

    /** Keeps everything from here contiguous until {@link #release}; at most {@code maxLength} bytes. */
    void mark(int maxLength) {
        mark = position;
        maxRun = maxLength;
    }

    int markPosition() {
        return mark;
    }

    void release() {
        mark = UNMARKED;
        maxRun = Integer.MAX_VALUE - 16;
        if (buffer.length > 16 * INITIAL && limit - position < INITIAL) {
            shrink();
        }
    }

    /** Starts a {@link Crc64} over what is consumed from here. */
    void startSum() {
        summing = true;
        summed = position;
        sum = 0;
    }

    /** Ends the sum and returns it. */
    long endSum() {
        sum = Crc64.update(sum, buffer, summed, position);
        summing = false;
        return sum;
    }

    /** Unsigned. */
    int readByte() throws IOException {
        need(1);
        return buffer[position++] & 0xff;
    }

    void skip(long count) throws IOException {
        if (mark != UNMARKED) {
            if (count > maxRun - (position - mark)) {
                throw new RunTooLongException(maxRun);
            }
            need((int) count);
            position += (int) count;
            return;
        }
        long left = count;
        while (left > 0) {
            need(1);
            int step = (int) Math.min(left, limit - position);
            position += step;
            left -= step;
        }
    }

    byte[] readBytes(int count) throws IOException {
        need(count);
        byte[] bytes = Arrays.copyOfRange(buffer, position, position + count);
        position += count;
        return bytes;
    }

    /** Without its CRLF. */
    String readLine() throws IOException {
        StringBuilder line = new StringBuilder(64);
        while (true) {
            int b = readByte();
            if (b == '\r') {
                if (readByte() != '\n') {
                    throw new IOException("CR without LF");
                }
                return line.toString();
            }
            if (line.length() > 1 << 16) {
                throw new IOException("a line of more than 64 KiB");
            }
            line.append((char) b);
        }
    }

    /** A number up to CRLF. */
    long readNumberLine() throws IOException {
        long value = 0;
        boolean negative = false;
        int digits = 0;
        while (true) {
            int b = readByte();
            if (b == '\r') {
                if (readByte() != '\n' || digits == 0) {
                    throw new IOException("malformed number");
                }
                return negative ? -value : value;
            }
            if (b == '-' && digits == 0 && !negative) {
                negative = true;
            } else if (b >= '0' && b <= '9' && ++digits < 19) {
                value = value * 10 + (b - '0');
            } else {
                throw new IOException("malformed number");
            }
        }
    }

    long readLittleEndian(int bytes) throws IOException {
        need(bytes);
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | (buffer[position + i] & 0xff);
        }
        position += bytes;
        return value;
    }

    long readBigEndian(int bytes) throws IOException {
        need(bytes);
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value = value << 8 | (buffer[position + i] & 0xff);
        }
        position += bytes;
        return value;
    }

    private void need(int count) throws IOException {
        if (limit - position >= count) {
            return;
        }
        int from = mark == UNMARKED ? position : mark;
        if (buffer.length - position < count || buffer.length - limit < buffer.length / 4) {
            sumUp();
            move(from, buffer);
        }
        while (limit - position < count) {
            if (limit == buffer.length) {
                grow(count);
            }
            int read = in.read(buffer, limit, buffer.length - limit);
            if (read < 0) {
                throw new EOFException("the stream ended");
            }
            limit += read;
        }
    }

    /** Doubles, whatever was announced: memory is only spent on bytes that came. */
    private void grow(int count) throws IOException {
        long wanted = Math.min(2L * buffer.length, (long) position + count);
        if (wanted > Integer.MAX_VALUE - 16 || wanted <= buffer.length) {
            throw new RunTooLongException(buffer.length);
        }
        buffer = Arrays.copyOf(buffer, (int) Math.max(wanted, Math.min(2L * buffer.length, 1L << 30)));
    }

    private void shrink() {
        sumUp();
        move(position, new byte[INITIAL]);
    }

    private void sumUp() {
        if (summing) {
            sum = Crc64.update(sum, buffer, summed, position);
            summed = position;
        }
    }

    private void move(int from, byte[] to) {
        System.arraycopy(buffer, from, to, 0, limit - from);
        buffer = to;
        discarded += from;
        position -= from;
        limit -= from;
        summed -= from;
        if (mark != UNMARKED) {
            mark -= from;
        }
    }
}
