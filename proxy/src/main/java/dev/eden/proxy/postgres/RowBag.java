package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;

/** Rows as a bag: equal bags have, but for a chance in 2¹²⁷, the same rows as often, in whatever order. */
final class RowBag {
    private long rows;
    private long one;
    private long other;

    /** A DataRow, from its type byte. */
    void add(ByteBuf in, int index, int total) {
        long a = 0xcbf29ce484222325L;
        long b = 0x9E3779B97F4A7C15L;
        for (int i = Message.HEADER; i < total; i++) {
            int octet = in.getByte(index + i) & 0xff;
            a = (a ^ octet) * 0x100000001b3L;
            b = (b + octet) * 0xff51afd7ed558ccdL;
            b ^= b >>> 32;
        }
        one += mix(a);
        other += mix(b);
        rows++;
    }

    private static long mix(long value) {
        long mixed = (value ^ (value >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return mixed ^ (mixed >>> 29);
    }

    boolean same(RowBag that) {
        return rows == that.rows && one == that.one && other == that.other;
    }

    long rows() {
        return rows;
    }
}
