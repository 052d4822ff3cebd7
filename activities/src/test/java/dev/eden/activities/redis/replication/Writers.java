package dev.eden.activities.redis.replication;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.args.ListDirection;
import redis.clients.jedis.params.GetExParams;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.params.XAddParams;
import redis.clients.jedis.params.XReadGroupParams;

/** Clients that write everything Redis can, all the time, over few keys, so that order and exactly-once show. */
final class Writers implements AutoCloseable {
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    final AtomicLong done = new AtomicLong();
    private volatile boolean stopping;

    Writers(String host, int port, int clients, int keys, long pauseMicros, boolean flushes) {
        for (int i = 0; i < clients; i++) {
            int seed = i;
            threads.add(Thread.ofPlatform().start(() -> {
                try (Jedis jedis = new Jedis(host, port, 20_000)) {
                    Random random = new Random(seed);
                    while (!stopping) {
                        write(jedis, random, keys, flushes);
                        done.incrementAndGet();
                        java.util.concurrent.locks.LockSupport.parkNanos(pauseMicros * 1000);
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            }));
        }
    }

    private static void write(Jedis j, Random r, int keys, boolean flushes) {
        int n = r.nextInt(keys);
        switch (r.nextInt(40)) {
            case 0 -> j.set("s" + n, "v" + r.nextInt());
            case 1, 2, 3 -> j.incr("i" + n);
            case 4, 5 -> j.append("a" + n, "x" + r.nextInt(10));
            case 6 -> j.rpush("l" + n, "e" + r.nextInt(), "f" + r.nextInt());
            case 7 -> j.lpop("l" + n);
            case 8 -> j.hset("h" + n, "f" + r.nextInt(200), "v" + r.nextInt());
            case 9 -> j.hdel("h" + n, "f" + r.nextInt(200));
            case 10 -> j.sadd("t" + n, "m" + r.nextInt(300), "m" + r.nextInt(300));
            case 11 -> j.spop("t" + n);
            case 12 -> j.srem("t" + n, "m" + r.nextInt(300));
            case 13 -> j.zadd("z" + n, r.nextDouble(), "m" + r.nextInt(200));
            case 14 -> j.zpopmin("z" + n);
            case 15 -> j.setex("e" + n, 1 + r.nextInt(3), "v" + r.nextInt());
            case 16 -> j.set("e" + n, "v" + r.nextInt(), SetParams.setParams().px(5 + r.nextInt(40)));
            case 17, 18 -> j.persist("e" + n);
            case 19 -> j.pexpire("e" + n, 3 + r.nextInt(50));
            case 20 -> j.incr("ei" + n);
            case 21 -> j.pexpire("ei" + n, 2 + r.nextInt(30));
            case 22 -> j.append("e" + n, "y");
            case 23 ->
                j.eval(
                        "redis.call('incr', KEYS[1]) redis.call('rpush', 'undeclared' .. ARGV[1], redis.call('time')[2])"
                                + " return redis.call('spop', KEYS[2])",
                        2,
                        "i" + n,
                        "t" + n,
                        Integer.toString(n % 10));
            case 24 -> {
                Transaction t = j.multi();
                t.incr("i" + n);
                t.rpush("l" + n, "tx");
                t.hincrBy("h" + n, "count", 1);
                t.exec();
            }
            case 25 ->
                j.xadd("x" + n % 10, XAddParams.xAddParams().maxLen(500), java.util.Map.of("f", "v" + r.nextInt()));
            case 26 -> {
                String stream = "x" + n % 10;
                try {
                    j.xgroupCreate(stream, "g", new StreamEntryID("0-0"), true);
                } catch (redis.clients.jedis.exceptions.JedisDataException exists) {
                    var read = j.xreadGroup(
                            "g",
                            "c" + r.nextInt(3),
                            XReadGroupParams.xReadGroupParams().count(2),
                            java.util.Map.of(stream, StreamEntryID.XREADGROUP_UNDELIVERED_ENTRY));
                    if (read != null && r.nextBoolean()) {
                        j.xack(
                                stream,
                                "g",
                                read.getFirst().getValue().getFirst().getID());
                    }
                }
            }
            case 27 -> {
                j.set("r" + n, "v" + r.nextInt(), SetParams.setParams().px(r.nextInt(2) == 0 ? 20 : 100_000));
                try {
                    j.rename("r" + n, "r" + r.nextInt(keys));
                } catch (redis.clients.jedis.exceptions.JedisDataException expired) {
                    // It had 20 ms.
                }
            }
            case 28 -> {
                j.select(1 + r.nextInt(3));
                j.incr("i" + n);
                j.set("e" + n, "v", SetParams.setParams().px(1 + r.nextInt(60)));
                j.persist("e" + n);
                j.select(0);
            }
            case 29 -> j.del("l" + n, "h" + n, "e" + n);
            case 30 -> j.lmove("l" + n, "l" + r.nextInt(keys), ListDirection.LEFT, ListDirection.RIGHT);
            case 31 -> j.sunionstore("u" + n, "t" + n, "t" + r.nextInt(keys));
            case 32 -> j.zunionstore("zu" + n, "z" + n, "z" + r.nextInt(keys));
            case 33 -> j.copy("e" + n, "c" + n, true);
            case 34 -> j.setrange("a" + n, r.nextInt(20), "zz");
            case 35 -> j.incrByFloat("fl" + n, 0.1);
            case 36 -> j.getEx("e" + n, GetExParams.getExParams().px(10 + r.nextInt(30)));
            case 37 -> j.pfadd("hll" + n, "m" + r.nextInt());
            case 38 -> j.setbit("b" + n, r.nextInt(500), true);
            default -> {
                if (flushes && r.nextInt(200) == 0) {
                    j.select(3);
                    j.flushDB();
                    j.select(0);
                } else {
                    j.mset("s" + n, "v" + r.nextInt(), "s" + (n + 1), "w" + r.nextInt());
                }
            }
        }
    }

    void check() {
        Throwable failed = failure.get();
        if (failed != null) {
            throw new AssertionError("a writer failed", failed);
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
        check();
    }
}
