package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.EscapedKey;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Everything a server holds, decoded, so that two servers can be compared whatever order their hash tables have. */
final class Dataset {
    private Dataset() {}

    /** Keys that differ, with both sides. */
    static Map<String, List<String>> differences(Map<String, String> one, Map<String, String> other) {
        Map<String, List<String>> differences = new TreeMap<>();
        one.forEach((key, value) -> {
            String there = other.getOrDefault(key, "missing");
            if (!there.equals(value)) {
                differences.put(key, List.of(value, there));
            }
        });
        other.forEach((key, value) -> {
            if (!one.containsKey(key)) {
                differences.put(key, List.of("missing", value));
            }
        });
        return differences;
    }

    /** {@code db:key} → type, value and expiry; Eden's own keys left out. */
    static Map<String, String> of(RespConnection connection) {
        return of(connection, true);
    }

    /** The same, of an expiry only that there is one: for a server that does not tell it. */
    static Map<String, String> withoutTimes(RespConnection connection) {
        return of(connection, false);
    }

    private static Map<String, String> of(RespConnection connection, boolean times) {
        Map<String, String> all = new TreeMap<>();
        for (int database :
                ServerInfo.read(connection, "keyspace").keysByDatabase().keySet()) {
            connection.call("SELECT", database);
            String cursor = "0";
            do {
                List<Reply> page =
                        connection.call("SCAN", cursor, "COUNT", 1000).items();
                cursor = page.get(0).text();
                List<byte[]> keys = new ArrayList<>();
                for (Reply key : page.get(1).items()) {
                    if (!ReplicationLedger.reserves(key.bytes())) {
                        keys.add(key.bytes());
                    }
                }
                for (byte[] key : keys) {
                    connection.send("TYPE", key);
                    connection.send(times ? "PEXPIRETIME" : "PTTL", key);
                }
                connection.flush();
                List<Reply> looks = connection.read(2 * keys.size());
                for (int i = 0; i < keys.size(); i++) {
                    String type = looks.get(2 * i).text();
                    long expiry = looks.get(2 * i + 1).number();
                    String value = type + " " + (times ? expiry : Math.min(expiry, 1)) + " "
                            + value(connection, type, keys.get(i));
                    if (!type.equals("none")) {
                        all.put(database + ":" + EscapedKey.of(keys.get(i)), value);
                    }
                }
            } while (!cursor.equals("0"));
        }
        connection.call("SELECT", 0);
        return all;
    }

    private static String value(RespConnection connection, String type, byte[] key) {
        return switch (type) {
            case "string" -> show(connection.call("GET", key));
            case "list" -> show(connection.call("LRANGE", key, 0, -1));
            case "set" ->
                connection.call("SMEMBERS", key).items().stream()
                        .map(Dataset::show)
                        .sorted()
                        .collect(Collectors.joining(","));
            case "zset" -> show(connection.call("ZRANGE", key, 0, -1, "WITHSCORES"));
            case "hash" -> {
                List<Reply> pairs = connection.call("HGETALL", key).items();
                Map<String, String> fields = new TreeMap<>();
                for (int i = 0; i + 1 < pairs.size(); i += 2) {
                    fields.put(show(pairs.get(i)), show(pairs.get(i + 1)));
                }
                yield fields.toString();
            }
            case "stream" -> show(connection.call("XRANGE", key, "-", "+")) + groups(connection, key);
            default -> type;
        };
    }

    private static String groups(RespConnection connection, byte[] key) {
        StringBuilder text = new StringBuilder();
        for (Reply group : connection.call("XINFO", "GROUPS", key).items()) {
            // Not entries-read and lag: Redis itself does not replicate them when a group is read (XCLAIM … LASTID).
            text.append(show(group.items().get(1))).append(show(group.items().get(7)));
            text.append(show(
                    connection.call("XPENDING", key, group.items().get(1).text(), "-", "+", 1000).items().stream()
                            .map(p -> (Reply) new Reply.Array(List.of(
                                    p.items().get(0),
                                    p.items().get(1),
                                    p.items().get(3))))
                            .collect(Collectors.collectingAndThen(Collectors.toList(), Reply.Array::new))));
        }
        return text.toString();
    }

    private static String show(Reply reply) {
        return switch (reply) {
            case Reply.Bulk bulk -> printable(bulk.bytes());
            case Reply.Array array ->
                array.items().stream().map(Dataset::show).collect(Collectors.joining(",", "[", "]"));
            case Reply.Simple simple -> simple.text();
            case Reply.Int number -> Long.toString(number.value());
            case Reply.Null _ -> "nil";
            case Reply.Error error -> "error " + error.message();
        };
    }

    private static String printable(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 32 || b > 126) {
                return "x" + HexFormat.of().formatHex(bytes);
            }
        }
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
