package dev.eden.activities.redis.replication;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The checksum of RDB files and of DUMP payloads: CRC-64 with the Jones polynomial {@code 0xad93d23594c935a9}, reflected, initial value
 * and final xor 0 (Redis source, crc64.c). Eight bytes a step by eight tables.
 */
final class Crc64 {
    /** The polynomial with its bits reversed. */
    private static final long REFLECTED = Long.reverse(0xad93d23594c935a9L);

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long[][] TABLES = tables();

    private Crc64() {}

    static long update(long crc, byte[] bytes, int from, int to) {
        long[][] t = TABLES;
        int at = from;
        for (; at + 8 <= to; at += 8) {
            long x = crc ^ (long) LONGS.get(bytes, at);
            crc = t[7][(int) x & 0xff]
                    ^ t[6][(int) (x >>> 8) & 0xff]
                    ^ t[5][(int) (x >>> 16) & 0xff]
                    ^ t[4][(int) (x >>> 24) & 0xff]
                    ^ t[3][(int) (x >>> 32) & 0xff]
                    ^ t[2][(int) (x >>> 40) & 0xff]
                    ^ t[1][(int) (x >>> 48) & 0xff]
                    ^ t[0][(int) (x >>> 56) & 0xff];
        }
        for (; at < to; at++) {
            crc = update(crc, bytes[at]);
        }
        return crc;
    }

    static long update(long crc, byte b) {
        return TABLES[0][(int) (crc ^ b) & 0xff] ^ (crc >>> 8);
    }

    private static long[][] tables() {
        long[][] tables = new long[8][256];
        for (int n = 0; n < 256; n++) {
            long crc = n;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) != 0 ? (crc >>> 1) ^ REFLECTED : crc >>> 1;
            }
            tables[0][n] = crc;
        }
        for (int n = 0; n < 256; n++) {
            long crc = tables[0][n];
            for (int k = 1; k < 8; k++) {
                crc = tables[0][(int) crc & 0xff] ^ (crc >>> 8);
                tables[k][n] = crc;
            }
        }
        return tables;
    }
}
