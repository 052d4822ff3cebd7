package dev.eden.activities.redis.replication;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Lengths and strings of an RDB (Redis source, rdb.h "length encoding" and rdb.c {@code rdbGenericLoadStringObject}). */
final class RdbStrings {
    private static final int INT8 = 0;
    private static final int INT16 = 1;
    private static final int INT32 = 2;
    private static final int LZF = 3;

    private final StreamInput in;

    RdbStrings(StreamInput in) {
        this.in = in;
    }

    /** How many or how long; a special encoding here is an error. */
    long length() throws IOException {
        return notNegative(number());
    }

    /** A number of 64 bits in the encoding of lengths; streams have some that mean "unknown" with all bits set. */
    long number() throws IOException {
        int first = in.readByte();
        if (first >>> 6 == 3) {
            throw new RdbException("malformed length");
        }
        return number(first);
    }

    void skip() throws IOException {
        int first = in.readByte();
        if (first >>> 6 != 3) {
            in.skip(notNegative(number(first)));
            return;
        }
        switch (first & 0x3f) {
            case INT8 -> in.skip(1);
            case INT16 -> in.skip(2);
            case INT32 -> in.skip(4);
            case LZF -> {
                long compressed = length();
                length();
                in.skip(compressed);
            }
            default -> throw new RdbException("unknown string encoding " + (first & 0x3f));
        }
    }

    byte[] read() throws IOException {
        int first = in.readByte();
        if (first >>> 6 != 3) {
            return in.readBytes(size(notNegative(number(first))));
        }
        return switch (first & 0x3f) {
            case INT8 -> decimal((byte) in.readLittleEndian(1));
            case INT16 -> decimal((short) in.readLittleEndian(2));
            case INT32 -> decimal((int) in.readLittleEndian(4));
            case LZF -> {
                int compressed = size(length());
                int plain = size(length());
                yield decompress(in.readBytes(compressed), plain);
            }
            default -> throw new RdbException("unknown string encoding " + (first & 0x3f));
        };
    }

    private long number(int first) throws IOException {
        return switch (first >>> 6) {
            case 0 -> first & 0x3f;
            case 1 -> (long) (first & 0x3f) << 8 | in.readByte();
            default ->
                switch (first) {
                    case 0x80 -> in.readBigEndian(4);
                    case 0x81 -> in.readBigEndian(8);
                    default -> throw new RdbException("unknown length encoding " + first);
                };
        };
    }

    private static long notNegative(long length) throws RdbException {
        if (length < 0) {
            throw new RdbException("a length of more than 2^63");
        }
        return length;
    }

    /** Of a string that is read whole; no string of Redis has more than 512 MiB. */
    private static int size(long length) throws RdbException {
        if (length > 512 << 20) {
            throw new RdbException("a string of " + length + " bytes");
        }
        return (int) length;
    }

    private static byte[] decimal(long value) {
        return Long.toString(value).getBytes(StandardCharsets.US_ASCII);
    }

    /** LibLZF: a control byte under 32 announces literals, else a back reference of length (3 bits, or one more byte) and distance 13 bits. */
    static byte[] decompress(byte[] from, int plainLength) throws IOException {
        // A control byte and two more give at most 264 bytes.
        if (plainLength > 264L * from.length) {
            throw new RdbException("malformed LZF data");
        }
        byte[] to = new byte[plainLength];
        int in = 0;
        int out = 0;
        try {
            while (in < from.length) {
                int control = from[in++] & 0xff;
                if (control < 32) {
                    int count = control + 1;
                    System.arraycopy(from, in, to, out, count);
                    in += count;
                    out += count;
                    continue;
                }
                int count = control >>> 5;
                if (count == 7) {
                    count += from[in++] & 0xff;
                }
                int reference = out - ((control & 0x1f) << 8) - (from[in++] & 0xff) - 1;
                for (int i = 0; i < count + 2; i++) {
                    to[out++] = to[reference++];
                }
            }
        } catch (IndexOutOfBoundsException e) {
            throw new RdbException("malformed LZF data");
        }
        if (out != plainLength) {
            throw new RdbException("malformed LZF data");
        }
        return to;
    }
}
