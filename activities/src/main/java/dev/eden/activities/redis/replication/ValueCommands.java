package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.ServerInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A key as commands of its type: for a written side that is older than the followed one and refuses what that has serialised. Each command stays
 * small, however large the value; all of them go out in one transaction.
 */
final class ValueCommands {
    private static final int MOST_ARGUMENTS = 512;
    private static final int MOST_BYTES = 1 << 20;

    private static final Map<String, List<Object>> READS = Map.of(
            "string", List.of("GET"),
            "list", List.of("LRANGE", 0, -1),
            "set", List.of("SMEMBERS"),
            "zset", List.of("ZRANGE", 0, -1, "WITHSCORES"),
            "hash", List.of("HGETALL"),
            "stream", List.of("XINFO", "STREAM", "FULL", "COUNT", 0));

    private final ServerInfo written;

    /** {@code written}: the server that the commands are for. */
    ValueCommands(ServerInfo written) {
        this.written = written;
    }

    /** Reads a key of the type whole. */
    Object[] read(String type, byte[] key) {
        List<Object> words = READS.get(type);
        if (words == null) {
            throw new ReplicationStopped("a value of type " + type + " can't be written to Redis " + written.version()
                    + ", which is older than the server it is on: only strings, lists, sets, sorted sets,"
                    + " hashes and streams can");
        }
        List<Object> command = new ArrayList<>(words);
        command.add(type.equals("stream") ? 2 : 1, key);
        return command.toArray();
    }

    /** Makes the key what the answer to {@link #read} says; a type that {@code read} does not know, or an empty answer: it is missing. */
    List<Object[]> writes(String type, byte[] key, Reply value, long expireAtMillis) {
        List<Object[]> writes = new ArrayList<>();
        writes.add(new Object[] {"DEL", key});
        if (missing(value)) {
            return writes;
        }
        switch (type) {
            case "string" -> writes.add(new Object[] {"SET", key, value.bytes()});
            case "list" -> chunks(writes, "RPUSH", key, value.items(), 1);
            case "set" -> chunks(writes, "SADD", key, value.items(), 1);
            case "hash" -> chunks(writes, "HSET", key, value.items(), 2);
            case "zset" -> chunks(writes, "ZADD", key, swapped(value.items()), 2);
            case "stream" -> new StreamCommands(key, written.atLeast(7, 0)).add(value, writes);
            default -> throw new IllegalArgumentException("type " + type);
        }
        if (expireAtMillis > 0) {
            writes.add(new Object[] {"PEXPIREAT", key, expireAtMillis});
        }
        return writes;
    }

    private static boolean missing(Reply value) {
        return switch (value) {
            case Reply.Null _ -> true;
            case Reply.Array array -> array.items().isEmpty();
            case Reply.Error error -> {
                if (!error.message().contains("no such key")) {
                    throw new RedisException(error.message());
                }
                yield true;
            }
            case Reply.Simple _, Reply.Int _, Reply.Bulk _ -> false;
        };
    }

    /** Members and scores, the other way round: as {@code ZADD} wants them. */
    private static List<Reply> swapped(List<Reply> pairs) {
        List<Reply> swapped = new ArrayList<>(pairs.size());
        for (int i = 0; i + 1 < pairs.size(); i += 2) {
            swapped.add(pairs.get(i + 1));
            swapped.add(pairs.get(i));
        }
        return swapped;
    }

    /** {@code step}: so many elements belong together. */
    private static void chunks(List<Object[]> into, String name, byte[] key, List<Reply> elements, int step) {
        List<Object> command = new ArrayList<>();
        int bytes = 0;
        for (int i = 0; i < elements.size(); i += step) {
            if (command.isEmpty()) {
                command.add(name);
                command.add(key);
                bytes = 0;
            }
            for (int j = i; j < i + step; j++) {
                byte[] element = elements.get(j).bytes();
                command.add(element);
                bytes += element.length;
            }
            if (command.size() >= MOST_ARGUMENTS || bytes >= MOST_BYTES) {
                into.add(command.toArray());
                command.clear();
            }
        }
        if (!command.isEmpty()) {
            into.add(command.toArray());
        }
    }
}
