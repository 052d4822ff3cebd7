package dev.eden.demo.load;

import dev.eden.demo.history.History;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntConsumer;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.params.SetParams;

/** Puts the data set into the source before anything begins: what an application had gathered over the years. */
public final class Preload {
    private static final int BATCH = 500;

    private final Keyspace keyspace;
    private final long seed;

    public Preload(Keyspace keyspace, long seed) {
        this.keyspace = keyspace;
        this.seed = seed;
    }

    /**
     * Fills an empty server.
     *
     * @param history gets the writes that expire
     * @param shortestMillis the shortest time to live; the longest is ten times that
     */
    public void fill(Jedis server, History history, long shortestMillis) {
        try (Pipeline pipeline = server.pipelined()) {
            each(
                    pipeline,
                    Family.STRING,
                    i -> pipeline.set(
                            keyspace.key(Family.STRING, i),
                            Payload.of(keyspace.initial(keyspace.cell(Family.STRING, i, 0)))));
            each(pipeline, Family.HASH, i -> pipeline.hset(keyspace.key(Family.HASH, i), hash(i)));
            each(pipeline, Family.ZSET, i -> pipeline.zadd(keyspace.key(Family.ZSET, i), zset(i)));
            each(pipeline, Family.SET, i -> pipeline.sadd(keyspace.key(Family.SET, i), "m0", "m1"));
            each(pipeline, Family.LIST, i -> pipeline.rpush(keyspace.key(Family.LIST, i), list(i)));
            each(pipeline, Family.LOG, i -> pipeline.set(keyspace.key(Family.LOG, i), log(i)));
            each(
                    pipeline,
                    Family.COUNTER,
                    i -> pipeline.set(keyspace.key(Family.COUNTER, i), count(Family.COUNTER, i)));
            each(
                    pipeline,
                    Family.WATCHED,
                    i -> pipeline.set(keyspace.key(Family.WATCHED, i), count(Family.WATCHED, i)));
            each(
                    pipeline,
                    Family.HASH_COUNTER,
                    i -> pipeline.hset(keyspace.key(Family.HASH_COUNTER, i), "n", count(Family.HASH_COUNTER, i)));
            each(
                    pipeline,
                    Family.ZSET_COUNTER,
                    i -> pipeline.zadd(
                            keyspace.key(Family.ZSET_COUNTER, i),
                            keyspace.initial(keyspace.cell(Family.ZSET_COUNTER, i, 0)),
                            "n"));
            each(pipeline, Family.PAIR, i -> pair(pipeline, i));
            expiring(pipeline, history, shortestMillis);
        }
        new StillLife(keyspace, seed).fill(server);
    }

    private void each(Pipeline pipeline, Family family, IntConsumer command) {
        for (int i = 0; i < keyspace.count(family); i++) {
            command.accept(i);
            if (i % BATCH == BATCH - 1) {
                pipeline.sync();
            }
        }
        pipeline.sync();
    }

    private Map<String, String> hash(int index) {
        Map<String, String> fields = new HashMap<>();
        for (int f = 0; f < 3; f++) {
            fields.put("f" + f, Payload.of(keyspace.initial(keyspace.cell(Family.HASH, index, f))));
        }
        return fields;
    }

    private Map<String, Double> zset(int index) {
        Map<String, Double> members = new HashMap<>();
        for (int m = 0; m < 3; m++) {
            members.put("m" + m, (double) keyspace.initial(keyspace.cell(Family.ZSET, index, m)));
        }
        return members;
    }

    private String[] list(int index) {
        return Arrays.stream(keyspace.initialElements(keyspace.cell(Family.LIST, index, 0)))
                .mapToObj(id -> Long.toString(id, 36))
                .toArray(String[]::new);
    }

    private String log(int index) {
        StringBuilder text = new StringBuilder();
        for (long id : keyspace.initialElements(keyspace.cell(Family.LOG, index, 0))) {
            text.append(Payload.element(id));
        }
        return text.toString();
    }

    private String count(Family family, int index) {
        return Long.toString(keyspace.initial(keyspace.cell(family, index, 0)));
    }

    private void pair(Pipeline pipeline, int index) {
        String key = keyspace.key(Family.PAIR, index);
        String value = Payload.of(keyspace.initial(keyspace.cell(Family.PAIR, index, 0)));
        pipeline.set(Keyspace.pairKey(key, 0), value);
        pipeline.set(Keyspace.pairKey(key, 1), value);
    }

    private void expiring(Pipeline pipeline, History history, long shortestMillis) {
        OperationLog log = history.open(Operation.PRELOAD_CLIENT);
        Random random = new Random(seed);
        List<long[]> batch = new ArrayList<>();
        long from = System.nanoTime();
        int count = keyspace.count(Family.EXPIRING);
        for (int i = 0; i < count; i++) {
            int cell = keyspace.cell(Family.EXPIRING, i, 0);
            long millis = shortestMillis + random.nextLong(9 * shortestMillis);
            long id = Keyspace.preloadId(cell);
            pipeline.set(
                    keyspace.key(Family.EXPIRING, i),
                    Payload.of(id),
                    SetParams.setParams().px(millis));
            batch.add(new long[] {cell, id, millis});
            if (batch.size() == BATCH || i == count - 1) {
                pipeline.sync();
                long to = System.nanoTime();
                for (long[] write : batch) {
                    log.add(OperationKind.EXPIRING_WRITE, Outcome.OK, 0, (int) write[0], write[1], write[2], from, to);
                }
                batch.clear();
                from = to;
            }
        }
    }
}
