package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How to find some of a command's keys in its arguments, as {@code COMMAND} of Redis 7.0 tells it
 * (https://redis.io/docs/latest/develop/reference/key-specs/): first where to begin, then which arguments from there.
 */
record KeySpec(String access, Begin begin, Find find) {

    sealed interface Begin {
        record Index(int index) implements Begin {}

        /** A negative {@code startFrom} searches backwards from the end. */
        record Keyword(String keyword, int startFrom) implements Begin {}

        record Unknown() implements Begin {}
    }

    sealed interface Find {
        /** {@code lastKey} counts from the beginning, or from the last argument when negative; {@code limit} n > 1 stops after 1/n of the arguments. */
        record Range(int lastKey, int step, int limit) implements Find {}

        record KeyCount(int countIndex, int firstKey, int step) implements Find {}

        record Unknown() implements Find {}
    }

    /** False for arguments that are routed like keys but are none (shard channels). */
    boolean isKey() {
        return !access.endsWith("!");
    }

    /** Adds the positions of the keys found; false when this specification can't tell. */
    boolean find(List<byte[]> arguments, List<Integer> into) {
        int from;
        switch (begin) {
            case Begin.Index index -> from = index.index();
            case Begin.Keyword keyword -> {
                from = position(arguments, keyword);
                if (from < 0) {
                    return true;
                }
            }
            case Begin.Unknown _ -> {
                return false;
            }
        }
        return switch (find) {
            case Find.Range range -> range(arguments, from, range, into);
            case Find.KeyCount count -> counted(arguments, from, count, into);
            case Find.Unknown _ -> false;
        };
    }

    private static int position(List<byte[]> arguments, Begin.Keyword keyword) {
        int step = keyword.startFrom() < 0 ? -1 : 1;
        int at = keyword.startFrom() < 0 ? arguments.size() + keyword.startFrom() : keyword.startFrom();
        for (; at > 0 && at < arguments.size(); at += step) {
            if (Ascii.equalsIgnoreCase(arguments.get(at), keyword.keyword())) {
                return at + 1;
            }
        }
        return -1;
    }

    private static boolean range(List<byte[]> arguments, int from, Find.Range range, List<Integer> into) {
        int last;
        if (range.lastKey() >= 0) {
            last = from + range.lastKey();
        } else if (range.limit() <= 1) {
            last = arguments.size() + range.lastKey();
        } else {
            last = from + (arguments.size() - from) / range.limit() + range.lastKey();
        }
        for (int at = from; at <= last && at < arguments.size(); at += range.step()) {
            into.add(at);
        }
        return true;
    }

    private static boolean counted(List<byte[]> arguments, int from, Find.KeyCount count, List<Integer> into) {
        int at = from + count.countIndex();
        long keys = at < arguments.size() ? Ascii.parseLong(arguments.get(at)) : -1;
        if (keys < 0 || keys > arguments.size()) {
            return false;
        }
        int first = from + count.firstKey();
        for (int i = 0; i < keys && first + i * count.step() < arguments.size(); i++) {
            into.add(first + i * count.step());
        }
        return true;
    }

    // ---- text form of the bundled table: access:begin:find, e.g. RO:keyword,STREAMS,1:range,-1,1,2

    static KeySpec parse(String text) {
        String[] parts = text.split(":", -1);
        String[] b = parts[1].split(",", -1);
        String[] f = parts[2].split(",", -1);
        return new KeySpec(
                parts[0],
                switch (b[0]) {
                    case "index" -> new Begin.Index(Integer.parseInt(b[1]));
                    case "keyword" -> new Begin.Keyword(b[1], Integer.parseInt(b[2]));
                    default -> new Begin.Unknown();
                },
                switch (f[0]) {
                    case "range" ->
                        new Find.Range(Integer.parseInt(f[1]), Integer.parseInt(f[2]), Integer.parseInt(f[3]));
                    case "keynum" ->
                        new Find.KeyCount(Integer.parseInt(f[1]), Integer.parseInt(f[2]), Integer.parseInt(f[3]));
                    default -> new Find.Unknown();
                });
    }

    /** The inverse of {@link #parse}. */
    String render() {
        String b = switch (begin) {
            case Begin.Index index -> "index," + index.index();
            case Begin.Keyword keyword -> "keyword," + keyword.keyword() + "," + keyword.startFrom();
            case Begin.Unknown _ -> "unknown";
        };
        String f = switch (find) {
            case Find.Range range -> "range," + range.lastKey() + "," + range.step() + "," + range.limit();
            case Find.KeyCount count -> "keynum," + count.countIndex() + "," + count.firstKey() + "," + count.step();
            case Find.Unknown _ -> "unknown";
        };
        return access + ":" + b + ":" + f;
    }

    /** One element of the ninth field of an entry of {@code COMMAND}'s reply. */
    static KeySpec of(RespValue reply) {
        Map<String, RespValue> fields = fields(reply);
        String access = "-";
        boolean notKey = false;
        for (RespValue flag : items(fields, "flags")) {
            switch (flag.text()) {
                case "RO", "RW", "OW", "RM" -> access = flag.text();
                case "not_key" -> notKey = true;
                default -> {} // what is done with the value does not matter here
            }
        }
        Map<String, RespValue> begin = fields(get(fields, "begin_search"));
        Map<String, RespValue> b = fields(get(begin, "spec"));
        Map<String, RespValue> find = fields(get(fields, "find_keys"));
        Map<String, RespValue> f = fields(get(find, "spec"));
        return new KeySpec(
                notKey ? access + "!" : access,
                switch (get(begin, "type").text()) {
                    case "index" -> new Begin.Index(number(b, "index"));
                    case "keyword" -> new Begin.Keyword(get(b, "keyword").text(), number(b, "startfrom"));
                    default -> new Begin.Unknown();
                },
                switch (get(find, "type").text()) {
                    case "range" -> new Find.Range(number(f, "lastkey"), number(f, "keystep"), number(f, "limit"));
                    case "keynum" ->
                        new Find.KeyCount(number(f, "keynumidx"), number(f, "firstkey"), number(f, "keystep"));
                    default -> new Find.Unknown();
                });
    }

    private static Map<String, RespValue> fields(RespValue reply) {
        Map<String, RespValue> fields = new HashMap<>();
        List<RespValue> items = new ArrayList<>(reply.items());
        for (int i = 0; i + 1 < items.size(); i += 2) {
            fields.put(items.get(i).text(), items.get(i + 1));
        }
        return fields;
    }

    private static RespValue get(Map<String, RespValue> fields, String name) {
        return Objects.requireNonNullElseGet(fields.get(name), RespValue.Null::new);
    }

    private static List<RespValue> items(Map<String, RespValue> fields, String name) {
        return get(fields, name).items();
    }

    private static int number(Map<String, RespValue> fields, String name) {
        return Integer.parseInt(get(fields, name).text());
    }
}
