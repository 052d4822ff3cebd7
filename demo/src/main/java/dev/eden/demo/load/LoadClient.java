package dev.eden.demo.load;

import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Tail;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.SetParams;

/**
 * One application: a connection of its own, one request at a time, at its share of the rate. What it sends depends on its seed
 * only. A lost connection is opened again; nothing is ever sent twice.
 */
final class LoadClient implements Runnable {
    private static final int HOT = 64;
    private static final int HOT_PAIRS = 8;
    private static final int WATCHED_KEYS = 2;
    private static final int SOCKET_TIMEOUT_MILLIS = 120_000;
    private static final long WORST_DEBT_NANOS = 200_000_000;
    private static final String PAIR_SCRIPT =
            "redis.call('SET',KEYS[1],ARGV[1]) redis.call('SET',KEYS[2],ARGV[1]) return 1";
    private static final String COUNT_SCRIPT =
            "return {redis.call('INCR',KEYS[1]), redis.call('APPEND',KEYS[2],ARGV[1])}";

    private final int client;
    private final HostAndPort address;
    private final Keyspace keyspace;
    private final LoadOptions options;
    private final Recorder recorder;
    private final LoadStats stats;
    private final BooleanSupplier running;
    private final Random random;
    private final boolean consumer;
    private @Nullable Jedis connection;
    private long sequence;

    LoadClient(
            int client,
            HostAndPort address,
            Keyspace keyspace,
            LoadOptions options,
            OperationLog log,
            LoadStats stats,
            BooleanSupplier running) {
        this.client = client;
        this.address = address;
        this.keyspace = keyspace;
        this.options = options;
        this.recorder = new Recorder(log, stats);
        this.stats = stats;
        this.running = running;
        this.random = new Random(options.seed() * 1_000_003 + client);
        this.consumer = client >= options.clients() - options.consumers();
    }

    @Override
    public void run() {
        long pause = (long) (1e9 * (options.clients() - options.consumers()) / options.rate());
        long due = System.nanoTime() + (long) (pause * random.nextDouble());
        while (running.getAsBoolean()) {
            Jedis open = connect();
            if (open == null) {
                continue;
            }
            int commands = 1;
            boolean alive;
            if (consumer) {
                alive = pop(open);
            } else {
                long wait = due - System.nanoTime();
                if (wait > 0) {
                    LockSupport.parkNanos(wait);
                    if (due - System.nanoTime() > 50_000) {
                        continue;
                    }
                } else if (wait < -WORST_DEBT_NANOS) {
                    due = System.nanoTime() - WORST_DEBT_NANOS;
                }
                int choice = random.nextInt(1000);
                commands = choice < 20 ? 8 : choice < 70 ? 4 : 1;
                try {
                    alive = request(open, choice);
                } catch (IllegalStateException stuck) {
                    // After an error reply within MULTI the library takes the connection to be in it for ever; nothing
                    // was sent.
                    alive = false;
                }
                due += pause * commands;
            }
            if (!alive) {
                disconnect();
            }
        }
        disconnect();
    }

    private @Nullable Jedis connect() {
        Jedis open = connection;
        if (open == null) {
            try {
                open = new Jedis(
                        address,
                        DefaultJedisClientConfig.builder()
                                .socketTimeoutMillis(SOCKET_TIMEOUT_MILLIS)
                                .blockingSocketTimeoutMillis(SOCKET_TIMEOUT_MILLIS)
                                .build());
                open.connect();
                connection = open;
            } catch (JedisConnectionException | JedisDataException away) {
                stats.disconnected(client, "connect: " + away.getMessage());
                LockSupport.parkNanos(50_000_000);
                return null;
            }
        }
        return open;
    }

    private void disconnect() {
        Jedis open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (JedisConnectionException alreadyGone) {
                // Closing a lost connection fails; there is nothing left to close.
            }
        }
    }

    private boolean request(Jedis to, int choice) {
        return switch (Slot.of(choice)) {
            case PIPELINE -> pipeline(to);
            case TRANSACTION -> transaction(to);
            case GET -> get(to, Family.STRING, pick(Family.STRING));
            case SET -> set(to);
            case DELETE -> delete(to);
            case HGET -> hget(to);
            case HSET -> hset(to);
            case HDEL -> hdel(to);
            case ZSCORE -> zscore(to);
            case ZADD -> zadd(to);
            case SISMEMBER -> sismember(to);
            case SADD -> setMember(to, true);
            case SREM -> setMember(to, false);
            case INCR -> increment(to);
            case COUNT -> count(to);
            case APPEND -> append(to);
            case LOG_TAIL -> logTail(to);
            case RPUSH -> push(to, Family.LIST, OperationKind.APPEND);
            case LRANGE -> lrange(to);
            case SET_PX -> setPx(to);
            case GET_EXPIRING -> get(to, Family.EXPIRING, pick(Family.EXPIRING));
            case PERSIST -> persist(to);
            case MGET -> mget(to);
            case EVAL -> eval(to);
            case WATCH -> watch(to);
            case ENQUEUE -> push(to, Family.QUEUE, OperationKind.PUSH);
        };
    }

    /** What a request may be; the number is its share in thousandths. A pipeline counts 8 commands, a transaction 4. */
    private enum Slot {
        PIPELINE(20),
        TRANSACTION(40),
        WATCH(10),
        GET(230),
        SET(110),
        DELETE(20),
        HGET(50),
        HSET(50),
        HDEL(10),
        ZSCORE(40),
        ZADD(40),
        SISMEMBER(30),
        SADD(30),
        SREM(30),
        INCR(60),
        COUNT(20),
        APPEND(40),
        LOG_TAIL(20),
        RPUSH(35),
        LRANGE(25),
        SET_PX(20),
        GET_EXPIRING(20),
        PERSIST(5),
        MGET(10),
        EVAL(15),
        ENQUEUE(20);

        private static final Slot[] BY_CHOICE = new Slot[1000];

        static {
            int at = 0;
            for (Slot slot : values()) {
                for (int i = 0; i < slot.share; i++) {
                    BY_CHOICE[at++] = slot;
                }
            }
        }

        private final int share;

        Slot(int share) {
            this.share = share;
        }

        static Slot of(int choice) {
            return BY_CHOICE[choice];
        }
    }

    private int pick(Family family) {
        int count = keyspace.count(family);
        int hot = family == Family.PAIR ? HOT_PAIRS : HOT;
        return random.nextBoolean() ? random.nextInt(Math.min(hot, count)) : random.nextInt(count);
    }

    /** A key that this client alone writes. */
    private int pickOwn(Family family) {
        int writers = options.clients();
        int mine = (keyspace.count(family) - client + writers - 1) / writers;
        int kept = Math.max(1, random.nextBoolean() ? Math.min(3, mine) : mine);
        return random.nextInt(kept) * writers + client;
    }

    private long nextId() {
        return ++sequence << 10 | client;
    }

    private boolean get(Jedis to, Family family, int index) {
        Recorder.Entry read = recorder.expect(OperationKind.READ, keyspace.cell(family, index, 0), 0, 0);
        return recorder.run(1, () -> read.value = Payload.id(to.get(keyspace.key(family, index))));
    }

    private boolean set(Jedis to) {
        int index = pick(Family.STRING);
        long id = nextId();
        recorder.expect(OperationKind.WRITE, keyspace.cell(Family.STRING, index, 0), id, 0);
        return recorder.run(1, () -> to.set(keyspace.key(Family.STRING, index), Payload.of(id)));
    }

    private boolean delete(Jedis to) {
        int index = pick(Family.STRING);
        recorder.expect(OperationKind.WRITE, keyspace.cell(Family.STRING, index, 0), Operation.ABSENT, 0);
        return recorder.run(1, () -> to.del(keyspace.key(Family.STRING, index)));
    }

    private boolean hget(Jedis to) {
        int index = pick(Family.HASH);
        int field = random.nextInt(4);
        Recorder.Entry read = recorder.expect(OperationKind.READ, keyspace.cell(Family.HASH, index, field), 0, 0);
        return recorder.run(1, () -> read.value = Payload.id(to.hget(keyspace.key(Family.HASH, index), "f" + field)));
    }

    private boolean hset(Jedis to) {
        int index = pick(Family.HASH);
        int field = random.nextInt(4);
        long id = nextId();
        recorder.expect(OperationKind.WRITE, keyspace.cell(Family.HASH, index, field), id, 0);
        return recorder.run(1, () -> to.hset(keyspace.key(Family.HASH, index), "f" + field, Payload.of(id)));
    }

    private boolean hdel(Jedis to) {
        int index = pick(Family.HASH);
        int field = random.nextInt(4);
        recorder.expect(OperationKind.WRITE, keyspace.cell(Family.HASH, index, field), Operation.ABSENT, 0);
        return recorder.run(1, () -> to.hdel(keyspace.key(Family.HASH, index), "f" + field));
    }

    private boolean zscore(Jedis to) {
        int index = pick(Family.ZSET);
        int member = random.nextInt(4);
        Recorder.Entry read = recorder.expect(OperationKind.READ, keyspace.cell(Family.ZSET, index, member), 0, 0);
        return recorder.run(
                1, () -> read.value = Payload.score(to.zscore(keyspace.key(Family.ZSET, index), "m" + member)));
    }

    private boolean zadd(Jedis to) {
        int index = pick(Family.ZSET);
        int member = random.nextInt(4);
        int cell = keyspace.cell(Family.ZSET, index, member);
        if (random.nextInt(8) == 0) {
            recorder.expect(OperationKind.WRITE, cell, Operation.ABSENT, 0);
            return recorder.run(1, () -> to.zrem(keyspace.key(Family.ZSET, index), "m" + member));
        }
        long id = nextId();
        recorder.expect(OperationKind.WRITE, cell, id, 0);
        return recorder.run(1, () -> to.zadd(keyspace.key(Family.ZSET, index), id, "m" + member));
    }

    private boolean sismember(Jedis to) {
        int index = pick(Family.SET);
        int member = random.nextInt(4);
        Recorder.Entry read = recorder.expect(OperationKind.READ, keyspace.cell(Family.SET, index, member), 0, 0);
        return recorder.run(
                1,
                () -> read.value = to.sismember(keyspace.key(Family.SET, index), "m" + member) ? 1 : Operation.ABSENT);
    }

    /** The answer tells what was there before: a read at the same moment. */
    private boolean setMember(Jedis to, boolean add) {
        int index = pick(Family.SET);
        int member = random.nextInt(4);
        int cell = keyspace.cell(Family.SET, index, member);
        String key = keyspace.key(Family.SET, index);
        Recorder.Entry before = recorder.expect(OperationKind.READ, cell, 0, 0);
        recorder.expect(OperationKind.WRITE, cell, add ? 1 : Operation.ABSENT, 0);
        return recorder.run(1, () -> {
            boolean changed = (add ? to.sadd(key, "m" + member) : to.srem(key, "m" + member)) == 1;
            before.value = changed == add ? Operation.ABSENT : 1;
        });
    }

    private boolean increment(Jedis to) {
        Family family = switch (random.nextInt(6)) {
            case 0 -> Family.HASH_COUNTER;
            case 1 -> Family.ZSET_COUNTER;
            default -> Family.COUNTER;
        };
        int index = pick(family);
        String key = keyspace.key(family, index);
        Recorder.Entry entry = recorder.expect(OperationKind.INCREMENT, keyspace.cell(family, index, 0), 0, 0);
        return recorder.run(
                1,
                () -> entry.value = family == Family.HASH_COUNTER
                        ? to.hincrBy(key, "n", 1)
                        : family == Family.ZSET_COUNTER ? (long) to.zincrby(key, 1, "n") : to.incr(key));
    }

    private boolean count(Jedis to) {
        Family family = switch (random.nextInt(6)) {
            case 0 -> Family.HASH_COUNTER;
            case 1 -> Family.ZSET_COUNTER;
            case 2 -> Family.WATCHED;
            default -> Family.COUNTER;
        };
        int index = pick(family);
        String key = keyspace.key(family, index);
        Recorder.Entry read = recorder.expect(OperationKind.COUNT, keyspace.cell(family, index, 0), 0, 0);
        return recorder.run(
                1,
                () -> read.value = family == Family.HASH_COUNTER
                        ? number(to.hget(key, "n"))
                        : family == Family.ZSET_COUNTER ? Payload.score(to.zscore(key, "n")) : number(to.get(key)));
    }

    static long number(@Nullable String value) {
        return value == null ? Operation.CORRUPT : Long.parseLong(value);
    }

    private boolean append(Jedis to) {
        int index = pick(Family.LOG);
        long id = nextId();
        Recorder.Entry entry = recorder.expect(OperationKind.APPEND, keyspace.cell(Family.LOG, index, 0), id, 0);
        return recorder.run(
                1, () -> entry.extra = places(to.append(keyspace.key(Family.LOG, index), Payload.element(id))));
    }

    private static long places(long length) {
        return length % Payload.ELEMENT == 0 ? length / Payload.ELEMENT : Operation.CORRUPT;
    }

    private boolean logTail(Jedis to) {
        int index = pick(Family.LOG);
        Recorder.Entry read = recorder.expect(OperationKind.TAIL, keyspace.cell(Family.LOG, index, 0), 0, 0);
        return recorder.run(1, () -> {
            String text = to.getrange(keyspace.key(Family.LOG, index), -Tail.LENGTH * Payload.ELEMENT, -1);
            tail(read, Payload.elements(text, Tail.LENGTH));
        });
    }

    private static void tail(Recorder.Entry read, long[] ids) {
        read.value = ids.length == 0 ? Operation.ABSENT : ids[ids.length - 1];
        read.extra = Tail.digest(ids, 0, ids.length);
    }

    private boolean push(Jedis to, Family family, OperationKind kind) {
        int index = family == Family.QUEUE ? random.nextInt(keyspace.count(family)) : pick(family);
        long id = nextId();
        Recorder.Entry entry = recorder.expect(kind, keyspace.cell(family, index, 0), id, 0);
        return recorder.run(1, () -> entry.extra = to.rpush(keyspace.key(family, index), Long.toString(id, 36)));
    }

    private boolean lrange(Jedis to) {
        int index = pick(Family.LIST);
        Recorder.Entry read = recorder.expect(OperationKind.TAIL, keyspace.cell(Family.LIST, index, 0), 0, 0);
        return recorder.run(1, () -> {
            List<String> last = to.lrange(keyspace.key(Family.LIST, index), -Tail.LENGTH, -1);
            tail(read, last.stream().mapToLong(Payload::plain).toArray());
        });
    }

    private boolean pop(Jedis to) {
        int index = random.nextInt(keyspace.count(Family.QUEUE));
        Recorder.Entry pop = recorder.expect(OperationKind.POP, keyspace.cell(Family.QUEUE, index, 0), 0, 0);
        return recorder.run(1, false, () -> {
            List<String> taken = to.blpop(1, keyspace.key(Family.QUEUE, index));
            pop.value = taken == null ? Operation.ABSENT : Payload.plain(taken.get(1));
        });
    }

    private boolean setPx(Jedis to) {
        int index = pickOwn(Family.EXPIRING);
        long id = nextId();
        long millis = random.nextInt(4) == 0 ? 20 + random.nextInt(100) : 300 + random.nextInt(5000);
        recorder.expect(OperationKind.EXPIRING_WRITE, keyspace.cell(Family.EXPIRING, index, 0), id, millis);
        return recorder.run(
                1,
                () -> to.set(
                        keyspace.key(Family.EXPIRING, index),
                        Payload.of(id),
                        SetParams.setParams().px(millis)));
    }

    /** Sets a key with an expiry and takes it away; the answer 0 says that it had expired in between. */
    private boolean persist(Jedis to) {
        int index = pickOwn(Family.EXPIRING);
        int cell = keyspace.cell(Family.EXPIRING, index, 0);
        String key = keyspace.key(Family.EXPIRING, index);
        long id = nextId();
        long millis = 5 + random.nextInt(1000);
        recorder.expect(OperationKind.EXPIRING_WRITE, cell, id, millis);
        if (!recorder.run(
                1, () -> to.set(key, Payload.of(id), SetParams.setParams().px(millis)))) {
            return false;
        }
        LockSupport.parkNanos(random.nextInt(30) * 1_000_000L);
        Recorder.Entry kept = recorder.expect(OperationKind.PERSIST, cell, 1, 0);
        return recorder.run(1, () -> {
            if (to.persist(key) == 0) {
                recorder.forget(kept);
                recorder.expect(OperationKind.READ, cell, Operation.ABSENT, 0);
            }
        });
    }

    private boolean mget(Jedis to) {
        int index = pick(Family.PAIR);
        String key = keyspace.key(Family.PAIR, index);
        PairRead read = new PairRead(index);
        return recorder.run(1, () -> {
            List<String> both = to.mget(Keyspace.pairKey(key, 0), Keyspace.pairKey(key, 1));
            read.saw(Payload.id(both.get(0)), Payload.id(both.get(1)));
        });
    }

    private final class PairRead {
        private final Recorder.Entry first;
        private final Recorder.Entry second;
        private final Recorder.Entry pair;

        PairRead(int index) {
            first = recorder.expect(OperationKind.READ, keyspace.cell(Family.PAIR, index, 0), 0, 0);
            second = recorder.expect(OperationKind.READ, keyspace.cell(Family.PAIR, index, 1), 0, 0);
            pair = recorder.expect(OperationKind.PAIR, keyspace.cell(Family.PAIR, index, 2), 0, 0);
        }

        void saw(long one, long other) {
            first.value = one;
            second.value = other;
            pair.value = one;
            pair.extra = other;
        }
    }

    private void expectPairWrite(int index, long id) {
        recorder.expect(OperationKind.WRITE, keyspace.cell(Family.PAIR, index, 0), id, 0);
        recorder.expect(OperationKind.WRITE, keyspace.cell(Family.PAIR, index, 1), id, 0);
    }

    private boolean transaction(Jedis to) {
        return switch (random.nextInt(3)) {
            case 0 -> {
                int index = pick(Family.PAIR);
                String key = keyspace.key(Family.PAIR, index);
                long id = nextId();
                expectPairWrite(index, id);
                yield recorder.run(4, () -> {
                    Transaction transaction = to.multi();
                    transaction.set(Keyspace.pairKey(key, 0), Payload.of(id));
                    transaction.set(Keyspace.pairKey(key, 1), Payload.of(id));
                    executed(transaction.exec());
                });
            }
            case 1 -> {
                int index = pick(Family.PAIR);
                String key = keyspace.key(Family.PAIR, index);
                PairRead read = new PairRead(index);
                yield recorder.run(4, () -> {
                    Transaction transaction = to.multi();
                    Response<String> one = transaction.get(Keyspace.pairKey(key, 0));
                    Response<String> other = transaction.get(Keyspace.pairKey(key, 1));
                    executed(transaction.exec());
                    read.saw(Payload.id(one.get()), Payload.id(other.get()));
                });
            }
            default -> {
                int counter = pick(Family.COUNTER);
                int list = pick(Family.LIST);
                long id = nextId();
                Recorder.Entry counted =
                        recorder.expect(OperationKind.INCREMENT, keyspace.cell(Family.COUNTER, counter, 0), 0, 0);
                Recorder.Entry pushed =
                        recorder.expect(OperationKind.APPEND, keyspace.cell(Family.LIST, list, 0), id, 0);
                yield recorder.run(4, () -> {
                    Transaction transaction = to.multi();
                    Response<Long> count = transaction.incr(keyspace.key(Family.COUNTER, counter));
                    Response<Long> length = transaction.rpush(keyspace.key(Family.LIST, list), Long.toString(id, 36));
                    executed(transaction.exec());
                    counted.value = count.get();
                    pushed.extra = length.get();
                });
            }
        };
    }

    /** Without WATCH a transaction always runs: a null answer is an error. */
    private static void executed(@Nullable List<Object> replies) {
        if (replies == null) {
            throw new JedisDataException("EXEC answered null without WATCH");
        }
    }

    private boolean eval(Jedis to) {
        if (random.nextBoolean()) {
            int index = pick(Family.PAIR);
            String key = keyspace.key(Family.PAIR, index);
            long id = nextId();
            expectPairWrite(index, id);
            return recorder.run(
                    1,
                    () -> to.eval(
                            PAIR_SCRIPT,
                            List.of(Keyspace.pairKey(key, 0), Keyspace.pairKey(key, 1)),
                            List.of(Payload.of(id))));
        }
        int counter = pick(Family.COUNTER);
        int log = pick(Family.LOG);
        long id = nextId();
        Recorder.Entry counted =
                recorder.expect(OperationKind.INCREMENT, keyspace.cell(Family.COUNTER, counter, 0), 0, 0);
        Recorder.Entry appended = recorder.expect(OperationKind.APPEND, keyspace.cell(Family.LOG, log, 0), id, 0);
        return recorder.run(1, () -> {
            Object answer = to.eval(
                    COUNT_SCRIPT,
                    List.of(keyspace.key(Family.COUNTER, counter), keyspace.key(Family.LOG, log)),
                    List.of(Payload.element(id)));
            List<?> both = (List<?>) answer;
            counted.value = (Long) both.get(0);
            appended.extra = places((Long) both.get(1));
        });
    }

    /** Adds one under WATCH, thinking for a while in between; a conflict is no error, the next one tries again. */
    private boolean watch(Jedis to) {
        int index = random.nextInt(WATCHED_KEYS);
        int cell = keyspace.cell(Family.WATCHED, index, 0);
        String key = keyspace.key(Family.WATCHED, index);
        Recorder.Entry read = recorder.expect(OperationKind.COUNT, cell, Operation.CORRUPT, 0);
        boolean alive = recorder.run(2, () -> {
            to.watch(key);
            read.value = number(to.get(key));
        });
        if (!alive) {
            return false;
        }
        if (read.value == Operation.CORRUPT) {
            return recorder.run(1, to::unwatch);
        }
        LockSupport.parkNanos(random.nextInt(8) * 1_000_000L);
        long next = read.value + 1;
        Recorder.Entry counted = recorder.expect(OperationKind.INCREMENT, cell, next, 0);
        return recorder.run(3, () -> {
            Transaction transaction = to.multi();
            transaction.set(key, Long.toString(next));
            List<Object> replies = transaction.exec();
            if (replies == null || replies.isEmpty()) {
                recorder.forget(counted);
                stats.conflict();
            }
        });
    }

    private boolean pipeline(Jedis to) {
        int string = pick(Family.STRING);
        int list = pick(Family.LIST);
        int counter = pick(Family.COUNTER);
        int hash = pick(Family.HASH);
        long first = nextId();
        long second = nextId();
        long pushedFirst = nextId();
        long pushedSecond = nextId();
        long field = nextId();
        int stringCell = keyspace.cell(Family.STRING, string, 0);
        int listCell = keyspace.cell(Family.LIST, list, 0);
        int hashCell = keyspace.cell(Family.HASH, hash, 1);
        List<Recorder.Entry> entries = new ArrayList<>();
        entries.add(recorder.expect(OperationKind.WRITE, stringCell, first, 0));
        entries.add(recorder.expect(OperationKind.READ, stringCell, 0, 0));
        entries.add(recorder.expect(OperationKind.WRITE, stringCell, second, 0));
        entries.add(recorder.expect(OperationKind.APPEND, listCell, pushedFirst, 0));
        entries.add(recorder.expect(OperationKind.APPEND, listCell, pushedSecond, 0));
        entries.add(recorder.expect(OperationKind.INCREMENT, keyspace.cell(Family.COUNTER, counter, 0), 0, 0));
        entries.add(recorder.expect(OperationKind.WRITE, hashCell, field, 0));
        entries.add(recorder.expect(OperationKind.READ, hashCell, 0, 0));
        return recorder.run(8, () -> {
            Pipeline pipeline = to.pipelined();
            String stringKey = keyspace.key(Family.STRING, string);
            String listKey = keyspace.key(Family.LIST, list);
            String hashKey = keyspace.key(Family.HASH, hash);
            Response<String> set = pipeline.set(stringKey, Payload.of(first));
            Response<String> got = pipeline.get(stringKey);
            Response<String> setAgain = pipeline.set(stringKey, Payload.of(second));
            Response<Long> lengthFirst = pipeline.rpush(listKey, Long.toString(pushedFirst, 36));
            Response<Long> lengthSecond = pipeline.rpush(listKey, Long.toString(pushedSecond, 36));
            Response<Long> count = pipeline.incr(keyspace.key(Family.COUNTER, counter));
            Response<Long> hset = pipeline.hset(hashKey, "f1", Payload.of(field));
            Response<String> hget = pipeline.hget(hashKey, "f1");
            pipeline.sync();
            recorder.answer(entries.get(0), set::get);
            recorder.answer(entries.get(1), () -> entries.get(1).value = Payload.id(got.get()));
            recorder.answer(entries.get(2), setAgain::get);
            recorder.answer(entries.get(3), () -> entries.get(3).extra = lengthFirst.get());
            recorder.answer(entries.get(4), () -> entries.get(4).extra = lengthSecond.get());
            recorder.answer(entries.get(5), () -> entries.get(5).value = count.get());
            recorder.answer(entries.get(6), hset::get);
            recorder.answer(entries.get(7), () -> entries.get(7).value = Payload.id(hget.get()));
        });
    }
}
