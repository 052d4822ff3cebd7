package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.RedisServers;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Clients that keep few keys moving: everything that a comparison could mistake for a difference. Names begin with {@code hot}. */
final class HotWriters implements AutoCloseable {
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile boolean stopping;
    final AtomicLong done = new AtomicLong();

    HotWriters(RedisServers servers, int clients, int keys, int perSecond) {
        for (int i = 0; i < clients; i++) {
            int seed = i;
            threads.add(Thread.ofPlatform().start(() -> {
                try (RespConnection connection = servers.connect("source")) {
                    Random random = new Random(seed);
                    long nanos = 1_000_000_000L * clients / perSecond;
                    long next = System.nanoTime();
                    while (!stopping) {
                        write(connection, random, keys);
                        done.incrementAndGet();
                        next += nanos;
                        LockSupport.parkNanos(next - System.nanoTime());
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            }));
        }
    }

    private static void write(RespConnection c, Random r, int keys) {
        int n = r.nextInt(keys);
        switch (r.nextInt(26)) {
            case 0, 1, 2 -> c.call("INCR", "hot:i" + n);
            case 3, 4 -> c.call("APPEND", "hot:a" + n, "x" + r.nextInt(10));
            case 5 -> c.call("SET", "hot:s" + n, "v" + r.nextInt());
            case 6 -> c.call("RPUSH", "hot:l" + n, "e" + r.nextInt());
            case 7 -> c.call("LPOP", "hot:l" + n);
            case 8 -> c.call("HSET", "hot:h" + n, "f" + r.nextInt(300), "v" + r.nextInt());
            case 9 -> c.call("HDEL", "hot:h" + n, "f" + r.nextInt(300));
            case 10 -> c.call("SADD", "hot:t" + n, "m" + r.nextInt(300), r.nextInt(100));
            case 11 -> c.call("SREM", "hot:t" + n, "m" + r.nextInt(300));
            case 12 -> c.call("SPOP", "hot:t" + n);
            case 13 -> c.call("ZADD", "hot:z" + n, r.nextDouble(), "m" + r.nextInt(200));
            case 14 -> c.call("SET", "hot:e" + n, "v" + r.nextInt(), "PX", 5 + r.nextInt(400));
            case 15 -> c.call("PERSIST", "hot:e" + n);
            case 16 -> c.call("PEXPIRE", "hot:e" + n, 3 + r.nextInt(500));
            case 17 -> c.call("DEL", "hot:l" + n, "hot:e" + n, "hot:s" + n);
            case 18 -> c.call("XADD", "hot:x" + n % 10, "MAXLEN", "~", 300, "*", "f", r.nextInt());
            case 19 -> {
                c.ask("XGROUP", "CREATE", "hot:x" + n % 10, "g", "0", "MKSTREAM");
                c.call("XREADGROUP", "GROUP", "g", "c" + r.nextInt(3), "COUNT", 2, "STREAMS", "hot:x" + n % 10, ">");
            }
            case 20 -> {
                var pending = c.ask("XPENDING", "hot:x" + n % 10, "g", "-", "+", 1);
                if (!pending.isError() && !pending.items().isEmpty()) {
                    c.call(
                            "XACK",
                            "hot:x" + n % 10,
                            "g",
                            pending.items().getFirst().items().getFirst().bytes());
                }
            }
            case 21 -> c.call("PFADD", "hot:p" + n, "m" + r.nextInt());
            case 22 -> c.call("INCRBYFLOAT", "hot:f" + n, "0.5");
            case 23 -> c.call("SETRANGE", "hot:r" + n, r.nextInt(60), "zz");
            case 24 -> {
                c.call("SELECT", 4);
                c.call("SET", "hot:toggle" + n, r.nextInt(2));
                c.call("SELECT", 0);
            }
            default ->
                c.call(
                        "EVAL",
                        "redis.call('incr', KEYS[1]) return redis.call('rpush', KEYS[2], ARGV[1])",
                        2,
                        "hot:i" + n,
                        "hot:l" + n,
                        "x" + n);
        }
    }

    @Override
    public void close() {
        stopping = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        Throwable failed = failure.get();
        if (failed != null) {
            throw new AssertionError("a writer failed", failed);
        }
    }
}
