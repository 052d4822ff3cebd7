package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RespConnection;
import java.util.Arrays;

/** Keys of every type in every encoding that a server of today can be made to use. */
final class Types {
    private Types() {}

    static void fill(RespConnection c) {
        c.call("SET", "int8", 12);
        c.call("SET", "int16", -12345);
        c.call("SET", "int32", 1234567890);
        c.call("SET", "int64", Long.MAX_VALUE);
        c.call("SET", "12345", "a key that is a number");
        c.call("SET", "raw", new byte[] {0, 1, 2, (byte) 0xff, '\r', '\n'});
        c.call("SET", "compressed", "abcabcabc".repeat(2_000));
        c.call("SET", "a long key that compresses well ".repeat(20), "lzf key");
        c.call("SET", "fourteen bits", random(5_000));
        c.call("SET", "thirty-two bits", random(100_000));
        c.call("SET", "expires", "v", "PXAT", 4_102_444_800_123L);
        for (int i = 0; i < 300; i++) {
            c.call("RPUSH", "list big", "element " + i, random(200));
            c.call("SADD", "set big", "m" + i);
            c.call("ZADD", "zset big", i * 0.5, "m" + i);
            c.call("HSET", "hash big", "f" + i, "v" + i);
        }
        c.call("ZADD", "zset big", "inf", "top", "-inf", "bottom");
        c.call("RPUSH", "list plain node", random(20_000), "small");
        c.call("RPUSH", "list small", 1, "two", 3);
        c.call("SADD", "set ints", 1, -70_000, Long.MAX_VALUE);
        c.call("SADD", "set small", "a", "b");
        c.call("ZADD", "zset small", 1, "a", 2.5, "b");
        c.call("HSET", "hash small", "f", "v", "n", 1);
        c.call("HSET", "hash long value", "f", random(500));
        c.call("PFADD", "hyperloglog", "a", "b", "c");
        c.call("XADD", "stream", "1-1", "f", "v");
        for (int i = 2; i < 400; i++) {
            c.call("XADD", "stream", i + "-1", "f", "v" + i, "g", random(60));
        }
        c.call("XDEL", "stream", "5-1", "6-1");
        c.call("XGROUP", "CREATE", "stream", "g", 0);
        c.call("XREADGROUP", "GROUP", "g", "consumer one", "COUNT", 10, "STREAMS", "stream", ">");
        c.call("XREADGROUP", "GROUP", "g", "consumer two", "COUNT", 3, "STREAMS", "stream", ">");
        c.call("XACK", "stream", "g", "2-1");
        c.call("XADD", "stream empty", "1-1", "f", "v");
        c.call("XDEL", "stream empty", "1-1");
        c.call("XGROUP", "CREATE", "stream empty", "h", "$");
        c.call("SELECT", 7);
        c.call("SET", "elsewhere", "v", "EX", 100_000);
        c.call("SELECT", 0);
    }

    static byte[] random(int length) {
        byte[] bytes = new byte[length];
        java.util.random.RandomGenerator.of("L64X128MixRandom").nextBytes(bytes);
        return Arrays.copyOf(bytes, length);
    }
}
