package dev.eden.activities.redis.replication;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Commands on their way to a server, encoded once into one growing array. */
final class RespBuffer {
    private byte[] bytes;
    private int size;

    RespBuffer(int capacity) {
        bytes = new byte[capacity];
    }

    int size() {
        return size;
    }

    byte[] bytes() {
        return bytes;
    }

    void clear() {
        size = 0;
        if (bytes.length > 1 << 22) {
            bytes = new byte[1 << 16];
        }
    }

    void writeTo(OutputStream out) throws IOException {
        out.write(bytes, 0, size);
        out.flush();
    }

    /** A whole command; arguments are String or byte[] or a number. */
    RespBuffer command(Object... arguments) {
        array(arguments.length);
        for (Object argument : arguments) {
            switch (argument) {
                case byte[] raw -> bulk(raw, 0, raw.length);
                case String text -> bulk(text);
                case Number number -> bulk(number.toString());
                default ->
                    throw new IllegalArgumentException(
                            "cannot send a " + argument.getClass().getName());
            }
        }
        return this;
    }

    RespBuffer array(int count) {
        return put('*').decimal(count).crlf();
    }

    RespBuffer bulk(String text) {
        byte[] raw = text.getBytes(StandardCharsets.UTF_8);
        return bulk(raw, 0, raw.length);
    }

    RespBuffer bulk(byte[] source, int from, int length) {
        return bulkHeader(length).raw(source, from, length).crlf();
    }

    RespBuffer bulkHeader(int length) {
        return put('$').decimal(length).crlf();
    }

    RespBuffer raw(byte[] source, int from, int length) {
        ensure(length);
        System.arraycopy(source, from, bytes, size, length);
        size += length;
        return this;
    }

    RespBuffer put(int b) {
        ensure(1);
        bytes[size++] = (byte) b;
        return this;
    }

    RespBuffer crlf() {
        ensure(2);
        bytes[size++] = '\r';
        bytes[size++] = '\n';
        return this;
    }

    RespBuffer littleEndian(long value, int count) {
        ensure(count);
        for (int i = 0; i < count; i++) {
            bytes[size++] = (byte) (value >>> (8 * i));
        }
        return this;
    }

    /** Digits of a number that is not negative. */
    RespBuffer decimal(long value) {
        ensure(20);
        int digits = digits(value);
        int at = size + digits;
        long left = value;
        do {
            bytes[--at] = (byte) ('0' + left % 10);
            left /= 10;
        } while (left > 0);
        size += digits;
        return this;
    }

    static int digits(long value) {
        int digits = 1;
        for (long left = value; left >= 10; left /= 10) {
            digits++;
        }
        return digits;
    }

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, (int)
                    Math.min(Integer.MAX_VALUE - 16, Math.max(2L * bytes.length, (long) size + more)));
        }
    }
}
