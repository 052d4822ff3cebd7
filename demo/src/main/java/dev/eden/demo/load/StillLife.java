package dev.eden.demo.load;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.params.XAddParams;
import redis.clients.jedis.resps.StreamEntry;
import redis.clients.jedis.resps.Tuple;

/**
 * Keys of every type and encoding that nobody touches while the migration runs: they have to arrive as they were, and they are
 * what {@code --damage} damages.
 */
public final class StillLife {
    /** What the key at an index holds: {@code index % SORTS}. */
    public static final int SORTS = 14;

    private static final long HOURS_6 = 6 * 3600;

    private final Keyspace keyspace;
    private final long seed;

    public StillLife(Keyspace keyspace, long seed) {
        this.keyspace = keyspace;
        this.seed = seed;
    }

    /** How many there are. */
    public int count() {
        return keyspace.count(Family.STILL);
    }

    /** Name of the key at {@code index}. */
    public String key(int index) {
        return keyspace.key(Family.STILL, index);
    }

    void fill(Jedis server) {
        Random random = new Random(seed + 1);
        try (Pipeline pipeline = server.pipelined()) {
            for (int i = 0; i < keyspace.count(Family.STILL); i++) {
                put(pipeline, i, random);
                if (i % 200 == 199) {
                    pipeline.sync();
                }
            }
            pipeline.sync();
        }
    }

    private void put(Pipeline to, int index, Random random) {
        String key = keyspace.key(Family.STILL, index);
        switch (index % SORTS) {
            case 0 -> to.set(key, Integer.toString(random.nextInt()));
            case 1 -> to.set(key, "short " + random.nextInt());
            case 2 -> to.set(key.getBytes(StandardCharsets.UTF_8), bytes(random, 3000));
            case 3 -> to.rpush(key, words(random, 10, 12));
            case 4 -> to.rpush(key, words(random, 300, 60));
            case 5 -> to.hset(key, fields(random, 8, 10));
            case 6 -> to.hset(key, fields(random, 150, 70));
            case 7 -> to.sadd(key, numbers(random, 20));
            case 8 -> to.sadd(key, words(random, 140, 20));
            case 9 -> to.zadd(key, scores(random, 12));
            case 10 -> to.zadd(key, scores(random, 160));
            case 11 -> stream(to, key, random);
            case 12 -> to.pfadd(key, words(random, 200, 9));
            case 13 -> {
                to.setbit(key, random.nextInt(4000), true);
                to.setbit(key, random.nextInt(4000), true);
            }
            default -> throw new IllegalStateException();
        }
        if (index / SORTS % 3 == 1) {
            to.pexpireAt(key, System.currentTimeMillis() + HOURS_6 * 1000 + random.nextInt(1_000_000));
        }
    }

    private static void stream(Pipeline to, String key, Random random) {
        int entries = 5 + random.nextInt(30);
        for (int e = 1; e <= entries; e++) {
            to.xadd(
                    key,
                    XAddParams.xAddParams().id(new StreamEntryID(e, random.nextInt(5))),
                    Map.of("n", Integer.toString(random.nextInt()), "word", word(random, 8)));
        }
        to.xgroupCreate(key, "workers", new StreamEntryID(3, 0), false);
        to.xdel(key, new StreamEntryID(entries, 0));
    }

    private static byte[] bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static String word(Random random, int length) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append((char) ('a' + random.nextInt(26)));
        }
        return word.toString();
    }

    private static String[] words(Random random, int count, int length) {
        String[] words = new String[count];
        for (int i = 0; i < count; i++) {
            words[i] = word(random, length);
        }
        return words;
    }

    private static String[] numbers(Random random, int count) {
        String[] numbers = new String[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = Integer.toString(random.nextInt(100_000));
        }
        return numbers;
    }

    private static Map<String, String> fields(Random random, int count, int length) {
        Map<String, String> fields = new HashMap<>();
        for (int i = 0; i < count; i++) {
            fields.put("field" + i, word(random, length));
        }
        return fields;
    }

    private static Map<String, Double> scores(Random random, int count) {
        Map<String, Double> scores = new HashMap<>();
        for (int i = 0; i < count; i++) {
            scores.put("member" + i, random.nextInt(1000) / 8.0);
        }
        return scores;
    }

    /** What every key holds, in words that are equal where the contents are: type, content, moment of expiry. */
    public Map<String, String> read(Jedis server) {
        Map<String, String> contents = new TreeMap<>();
        for (int i = 0; i < keyspace.count(Family.STILL); i++) {
            String key = keyspace.key(Family.STILL, i);
            contents.put(key, content(server, key));
        }
        return contents;
    }

    private static String content(Jedis server, String key) {
        String type = server.type(key);
        Object content = switch (type) {
            case "none" -> "";
            case "string" -> hex(server.get(key.getBytes(StandardCharsets.UTF_8)));
            case "list" -> server.lrange(key, 0, -1);
            case "hash" -> new TreeMap<>(server.hgetAll(key));
            case "set" -> new TreeSet<>(server.smembers(key));
            case "zset" -> scored(server.zrangeWithScores(key, 0, -1));
            case "stream" ->
                entries(server.xrange(key, "-", "+")) + " "
                        + server.xinfoGroups(key).stream()
                                .map(g -> g.getName() + g.getLastDeliveredId())
                                .toList();
            default -> throw new IllegalStateException("type " + type);
        };
        return type + " expires " + server.pexpireTime(key) + " " + content;
    }

    private static String hex(byte[] value) {
        return java.util.HexFormat.of().formatHex(value);
    }

    private static List<String> scored(List<Tuple> tuples) {
        List<String> scored = new ArrayList<>();
        for (Tuple tuple : tuples) {
            scored.add(tuple.getElement() + "=" + tuple.getScore());
        }
        return scored;
    }

    private static List<String> entries(List<StreamEntry> entries) {
        List<String> words = new ArrayList<>();
        for (StreamEntry entry : entries) {
            words.add(entry.getID() + "=" + new TreeMap<>(entry.getFields()));
        }
        return words;
    }
}
