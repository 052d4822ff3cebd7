package dev.eden.demo.load;

import dev.eden.demo.check.FinalState;
import dev.eden.demo.history.History;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;

/** Reads the whole data set once, after the load has ended. */
public final class FinalReader {
    private static final int BATCH = 250;
    private final Keyspace keyspace;
    private final History history;
    private int readers;

    public FinalReader(Keyspace keyspace, History history) {
        this.keyspace = keyspace;
        this.history = history;
    }

    /** @param place what this connection leads to, in words */
    public FinalState read(String place, Jedis from) {
        OperationLog log = history.open(Operation.FIRST_FINAL_CLIENT + readers++);
        Map<Integer, long[]> elements = new HashMap<>();
        try (Pipeline pipeline = from.pipelined()) {
            Batch batch = new Batch(pipeline, log);
            for (Family family : Family.values()) {
                for (int i = 0; i < keyspace.count(family); i++) {
                    read(batch, family, i, elements);
                }
            }
            batch.flush();
        }
        return new FinalState(place, elements);
    }

    private void read(Batch batch, Family family, int index, Map<Integer, long[]> elements) {
        String key = keyspace.key(family, index);
        int cell = keyspace.cell(family, index, 0);
        Pipeline to = batch.pipeline;
        switch (family) {
            case STRING, EXPIRING -> {
                Response<String> value = to.get(key);
                batch.add(() -> batch.log(OperationKind.READ, cell, Payload.id(value.get())));
            }
            case HASH -> {
                Response<Map<String, String>> fields = to.hgetAll(key);
                batch.add(() -> {
                    for (int f = 0; f < 4; f++) {
                        batch.log(
                                OperationKind.READ,
                                cell + f,
                                Payload.id(fields.get().get("f" + f)));
                    }
                });
            }
            case ZSET -> {
                Response<List<Double>> scores = to.zmscore(key, "m0", "m1", "m2", "m3");
                batch.add(() -> {
                    for (int m = 0; m < 4; m++) {
                        batch.log(
                                OperationKind.READ,
                                cell + m,
                                Payload.score(scores.get().get(m)));
                    }
                });
            }
            case SET -> {
                Response<List<Boolean>> present = to.smismember(key, "m0", "m1", "m2", "m3");
                batch.add(() -> {
                    for (int m = 0; m < 4; m++) {
                        batch.log(OperationKind.READ, cell + m, present.get().get(m) ? 1 : Operation.ABSENT);
                    }
                });
            }
            case PAIR -> {
                Response<List<String>> both = to.mget(Keyspace.pairKey(key, 0), Keyspace.pairKey(key, 1));
                batch.add(() -> {
                    long one = Payload.id(both.get().get(0));
                    long other = Payload.id(both.get().get(1));
                    batch.log(OperationKind.READ, cell, one);
                    batch.log(OperationKind.READ, cell + 1, other);
                    batch.log(OperationKind.PAIR, cell + 2, one, other);
                });
            }
            case COUNTER, WATCHED -> {
                Response<String> value = to.get(key);
                batch.add(() -> batch.log(OperationKind.COUNT, cell, LoadClient.number(value.get())));
            }
            case HASH_COUNTER -> {
                Response<String> value = to.hget(key, "n");
                batch.add(() -> batch.log(OperationKind.COUNT, cell, LoadClient.number(value.get())));
            }
            case ZSET_COUNTER -> {
                Response<Double> value = to.zscore(key, "n");
                batch.add(() -> batch.log(OperationKind.COUNT, cell, Payload.score(value.get())));
            }
            case LOG -> {
                Response<String> text = to.get(key);
                batch.add(() ->
                        elements.put(cell, Payload.elements(text.get() == null ? "" : text.get(), Integer.MAX_VALUE)));
            }
            case LIST, QUEUE -> {
                Response<List<String>> list = to.lrange(key, 0, -1);
                batch.add(() -> elements.put(
                        cell, list.get().stream().mapToLong(Payload::plain).toArray()));
            }
            case STILL -> {}
        }
    }

    /** Commands in flight and what to do with their answers. */
    private static final class Batch {
        final Pipeline pipeline;
        private final OperationLog log;
        private final List<Runnable> answers = new ArrayList<>();
        private long sent = System.nanoTime();
        private long answered;

        Batch(Pipeline pipeline, OperationLog log) {
            this.pipeline = pipeline;
            this.log = log;
        }

        void add(Runnable answer) {
            answers.add(answer);
            if (answers.size() >= BATCH) {
                flush();
            }
        }

        void flush() {
            pipeline.sync();
            answered = System.nanoTime();
            answers.forEach(Runnable::run);
            answers.clear();
            sent = System.nanoTime();
        }

        void log(OperationKind kind, int cell, long value) {
            log(kind, cell, value, 0);
        }

        void log(OperationKind kind, int cell, long value, long extra) {
            log.add(kind, Outcome.OK, 0, cell, value, extra, sent, answered);
        }
    }
}
