package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides whether two serialised values that differ mean the same: members of a hash table are dumped in the order of its buckets, which
 * two servers need not share; lists and streams may be cut into other nodes. The source's payload is restored under a name of
 * Eden's on the target, and the two are read there by their type. The same copy shows which encoding the target gives to that
 * payload.
 */
final class ValueComparison {
    private static final long COPY_LIFE_MILLIS = 60_000;
    private static final byte[] HYPERLOGLOG = "HYLL".getBytes(StandardCharsets.US_ASCII);
    private static final Set<String> UNSTABLE_STREAM_FIELDS = Set.of(
            "radix-tree-keys",
            "radix-tree-nodes",
            "seen-time",
            "active-time",
            "idle",
            "inactive",
            "entries-read",
            "lag");

    private static final Set<Object> STREAM_FIELDS = Set.of(
            "length",
            "last-generated-id",
            "max-deleted-entry-id",
            "entries-added",
            "recorded-first-entry-id",
            "entries",
            "groups",
            "name",
            "last-delivered-id",
            "pel-count",
            "pel",
            "consumers");
    private static final int MOST_PLACES = 5;

    private final RespConnection target;
    private final String prefix;
    private final ExpiryRule expiry;

    ValueComparison(RespConnection target, String migration, ExpiryRule expiry) {
        this.target = target;
        this.prefix = "eden:{" + migration + "}:compare:";
        this.expiry = expiry;
    }

    /** One key of the database that {@link #target} has selected. */
    @SuppressWarnings("ArrayRecordComponent")
    record Pair(byte[] key, KeyState from, KeyState to) {}

    /** Verdicts in the order of the pairs; the target must not change them meanwhile, or the caller must be able to tell. */
    List<Verdict> compare(List<Pair> pairs) {
        List<Verdict> verdicts = new ArrayList<>(pairs.size());
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            Verdict quick = quick(pairs.get(i));
            verdicts.add(quick);
            if (quick instanceof Verdict.Undecided
                    && !pairs.get(i).from().missing()
                    && !pairs.get(i).to().missing()) {
                open.add(i);
            }
        }
        if (!open.isEmpty()) {
            byValue(pairs, open, verdicts);
        }
        return verdicts;
    }

    private Verdict quick(Pair pair) {
        KeyState from = pair.from();
        KeyState to = pair.to();
        if (from.missing() && to.missing()) {
            return Verdict.EQUAL;
        }
        if (from.missing() || to.missing()) {
            if (expiry.near(from) || expiry.near(to)) {
                return Verdict.UNDECIDED;
            }
            return from.missing()
                    ? new Verdict.Different("extra", "only the target has it (" + to.type() + ")")
                    : new Verdict.Different("missing", "only the source has it (" + from.type() + ")");
        }
        if (!from.sameDump(to)) {
            return Verdict.UNDECIDED;
        }
        boolean sameEncoding = from.encoding().equals(to.encoding())
                || (!to.encoding().isEmpty() && to.encoding().equals(from.encodingWhenRestored()));
        return sameEncoding ? byExpiry(from, to) : Verdict.UNDECIDED;
    }

    private Verdict byExpiry(KeyState from, KeyState to) {
        return expiry.same(from, to)
                ? Verdict.EQUAL
                : new Verdict.Different(
                        "ttl",
                        "expires at " + from.expireAtMillis() + " on the source, " + to.expireAtMillis()
                                + " on the target");
    }

    private void byValue(List<Pair> pairs, List<Integer> open, List<Verdict> verdicts) {
        for (int i : open) {
            Pair pair = pairs.get(i);
            target.send(
                    "RESTORE",
                    prefix + i,
                    COPY_LIFE_MILLIS,
                    java.util.Objects.requireNonNull(pair.from().dump()),
                    "REPLACE");
            target.send("OBJECT", "ENCODING", prefix + i);
            target.send("TYPE", pair.key());
            List<Object> read = new ArrayList<>(reads(pair.from().type(), prefix + i));
            target.send(read.toArray());
            List<Object> same = new ArrayList<>(reads(pair.from().type(), pair.key()));
            target.send(same.toArray());
            target.send("DEL", prefix + i);
        }
        target.flush();
        for (int i : open) {
            List<Reply> replies = target.read(6);
            if (replies.get(0) instanceof Reply.Error error) {
                throw new RedisException("ERR the target does not restore a value of the source: " + error.message());
            }
            verdicts.set(i, decide(pairs.get(i), replies));
        }
    }

    private static List<Object> reads(String type, Object key) {
        return switch (type) {
            case "string" -> List.of("GET", key);
            case "list" -> List.of("LRANGE", key, 0, -1);
            case "set" -> List.of("SMEMBERS", key);
            case "zset" -> List.of("ZRANGE", key, 0, -1, "WITHSCORES");
            case "hash" -> List.of("HGETALL", key);
            case "stream" -> List.of("XINFO", "STREAM", key, "FULL", "COUNT", 0);
            default -> List.of("DUMP", key);
        };
    }

    private Verdict decide(Pair pair, List<Reply> replies) {
        String type = pair.from().type();
        String there = replies.get(2).text();
        if (!type.equals("other") && !there.equals(type)) {
            return new Verdict.Different("type", type + " on the source, " + there + " on the target");
        }
        Verdict value = byType(type, replies.get(3), replies.get(4));
        if (!(value instanceof Verdict.Equal)) {
            return value;
        }
        Verdict expires = byExpiry(pair.from(), pair.to());
        if (!(expires instanceof Verdict.Equal)) {
            return expires;
        }
        String restored = replies.get(1).text();
        String encoding = pair.to().encoding();
        return encoding.equals(pair.from().encoding()) || encoding.equals(restored)
                ? Verdict.EQUAL
                : new Verdict.Different(
                        "encoding", encoding + " on the target, where a copy of the source's value is " + restored);
    }

    private static Verdict byType(String type, Reply from, Reply to) {
        if (from.isError() || to.isError()) {
            return Verdict.UNDECIDED;
        }
        return switch (type) {
            case "string" -> string(from, to);
            case "list" -> list(items(from), items(to));
            case "set" -> members(new HashSet<>(items(from)), new HashSet<>(items(to)));
            case "zset" -> fields(pairs(from), pairs(to), "member");
            case "hash" -> fields(pairs(from), pairs(to), "field");
            case "stream" -> {
                List<String> places = new ArrayList<>();
                collect("", normalised(from), normalised(to), places);
                yield places.isEmpty()
                        ? Verdict.EQUAL
                        : new Verdict.Different("field", "the stream differs in" + String.join(",", places));
            }
            default ->
                Arrays.equals(from.bytes(), to.bytes())
                        ? Verdict.EQUAL
                        : new Verdict.Different("value", "a module's value is serialised differently");
        };
    }

    /** PFCOUNT keeps its last answer in bytes 8 to 15 of a HyperLogLog: a cache, no content (hyperloglog.c). */
    private static Verdict string(Reply from, Reply to) {
        if (from.isNull() || to.isNull()) {
            return Verdict.UNDECIDED;
        }
        byte[] a = from.bytes();
        byte[] b = to.bytes();
        boolean logs = a.length >= 16
                && a.length == b.length
                && Arrays.equals(a, 0, 4, HYPERLOGLOG, 0, 4)
                && Arrays.equals(b, 0, 4, HYPERLOGLOG, 0, 4);
        boolean same = logs
                ? Arrays.equals(a, 0, 8, b, 0, 8) && Arrays.equals(a, 16, a.length, b, 16, b.length)
                : Arrays.equals(a, b);
        return same
                ? Verdict.EQUAL
                : new Verdict.Different("value", a.length + " bytes on the source, " + b.length + " on the target");
    }

    private static Verdict list(List<String> from, List<String> to) {
        if (from.equals(to)) {
            return Verdict.EQUAL;
        }
        List<String> a = new ArrayList<>(from);
        List<String> b = new ArrayList<>(to);
        a.sort(null);
        b.sort(null);
        return a.equals(b)
                ? new Verdict.Different("order", "the same " + a.size() + " elements in another order")
                : new Verdict.Different(
                        "value", a.size() + " elements on the source, " + b.size() + " on the target, not the same");
    }

    private static Verdict members(Set<String> from, Set<String> to) {
        long missing = from.stream().filter(member -> !to.contains(member)).count();
        long extra = to.stream().filter(member -> !from.contains(member)).count();
        return missing + extra == 0
                ? Verdict.EQUAL
                : new Verdict.Different("field", missing + " members missing, " + extra + " extra");
    }

    private static Verdict fields(Map<String, String> from, Map<String, String> to, String what) {
        long missing =
                from.keySet().stream().filter(name -> !to.containsKey(name)).count();
        long extra =
                to.keySet().stream().filter(name -> !from.containsKey(name)).count();
        long other = from.entrySet().stream()
                .filter(entry ->
                        to.containsKey(entry.getKey()) && !entry.getValue().equals(to.get(entry.getKey())))
                .count();
        return missing + extra + other == 0
                ? Verdict.EQUAL
                : new Verdict.Different(
                        "field",
                        what + "s: " + missing + " missing, " + extra + " extra, " + other + " with another value");
    }

    /** Bytes as Latin-1 text: equal text, equal bytes. */
    private static List<String> items(Reply reply) {
        return reply.items().stream().map(ValueComparison::latin1).toList();
    }

    private static Map<String, String> pairs(Reply reply) {
        List<String> items = items(reply);
        Map<String, String> map = HashMap.newHashMap(items.size() / 2);
        for (int i = 0; i + 1 < items.size(); i += 2) {
            map.put(items.get(i), items.get(i + 1));
        }
        return map;
    }

    /**
     * Consumers' clocks and the shape of the tree are no content. Neither is {@code entries-read}, nor {@code lag}, which is computed from
     * it: Redis 7.0 does not replicate it with XREADGROUP (measured with its own replicas, which lack it).
     */
    private static Object normalised(Reply reply) {
        if (!(reply instanceof Reply.Array array)) {
            return reply.isNull() ? "" : latin1(reply);
        }
        List<Reply> items = array.items();
        List<Object> result = new ArrayList<>(items.size());
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i) instanceof Reply.Bulk name
                    && i + 1 < items.size()
                    && UNSTABLE_STREAM_FIELDS.contains(latin1(name))
                    && !(items.get(i + 1) instanceof Reply.Array)) {
                i++;
            } else {
                result.add(normalised(items.get(i)));
            }
        }
        return result;
    }

    /** Names of the fields under which two normalised replies differ; no values. */
    private static void collect(String path, Object from, Object to, List<String> places) {
        if (from.equals(to) || places.size() >= MOST_PLACES) {
            return;
        }
        if (!(from instanceof List<?> a) || !(to instanceof List<?> b) || a.size() != b.size()) {
            places.add(path.isEmpty() ? " everything" : path);
            return;
        }
        for (int i = 0; i < a.size(); i++) {
            boolean named = i > 0 && STREAM_FIELDS.contains(a.get(i - 1));
            collect(named ? path + " " + a.get(i - 1) : path, a.get(i), b.get(i), places);
        }
    }

    private static String latin1(Reply reply) {
        return reply instanceof Reply.Bulk bulk ? new String(bulk.bytes(), StandardCharsets.ISO_8859_1) : reply.text();
    }
}
