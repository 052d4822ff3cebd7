package dev.eden.activities.redis;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** The answer of {@code INFO}, by field name (Redis documentation, "INFO"). */
public record ServerInfo(Map<String, String> fields) {

    /** Reads the named sections, or the default ones where none is named. One round trip per section: 6.2 takes only one at a time. */
    public static ServerInfo read(RespConnection connection, String... sections) {
        if (sections.length == 0) {
            return parse(connection.call("INFO").text());
        }
        for (String section : sections) {
            connection.send("INFO", section);
        }
        connection.flush();
        Map<String, String> fields = new HashMap<>();
        for (Reply reply : connection.read(sections.length)) {
            fields.putAll(parse(reply.text()).fields());
        }
        return new ServerInfo(Map.copyOf(fields));
    }

    public static ServerInfo parse(String text) {
        Map<String, String> fields = new HashMap<>();
        text.lines().forEach(line -> {
            int colon = line.indexOf(':');
            if (colon > 0 && !line.startsWith("#")) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        });
        return new ServerInfo(Map.copyOf(fields));
    }

    /** The field, or an empty string where the server does not report it. */
    public String text(String field) {
        return fields.getOrDefault(field, "");
    }

    /** The field as a number; 0 where it is absent or no whole number. */
    public long number(String field) {
        try {
            return Long.parseLong(text(field));
        } catch (NumberFormatException absent) {
            return 0;
        }
    }

    public String version() {
        return text("redis_version");
    }

    /** True from {@code major.minor} on; an unreadable version counts as older than everything. */
    public boolean atLeast(int major, int minor) {
        String[] parts = version().split("\\.");
        try {
            int ownMajor = Integer.parseInt(parts[0]);
            int ownMinor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
            return ownMajor > major || (ownMajor == major && ownMinor >= minor);
        } catch (NumberFormatException unreadable) {
            return false;
        }
    }

    /** Hashes of which single fields expire: {@code subexpiry} of Redis 7.4, {@code keys_with_volatile_items} of Valkey 9. */
    public long hashesWithExpiringFields() {
        return ofKeyspace("subexpiry=") + ofKeyspace("keys_with_volatile_items=");
    }

    /** Keys with an expiry, in all databases. */
    public long expiringKeys() {
        return ofKeyspace("expires=");
    }

    /** In all databases. */
    public long keys() {
        return ofKeyspace("keys=");
    }

    private long ofKeyspace(String name) {
        return fields.entrySet().stream()
                .filter(field -> field.getKey().matches("db\\d+"))
                .flatMap(field -> Stream.of(field.getValue().split(",", -1)))
                .filter(part -> part.startsWith(name))
                .mapToLong(part -> Long.parseLong(part.substring(name.length())))
                .sum();
    }

    /** Key counts by database number, from the keyspace section. */
    public Map<Integer, Long> keysByDatabase() {
        Map<Integer, Long> counts = new java.util.TreeMap<>();
        fields.forEach((name, value) -> {
            if (name.matches("db\\d+") && value.startsWith("keys=")) {
                int comma = value.indexOf(',');
                counts.put(
                        Integer.parseInt(name.substring(2)),
                        Long.parseLong(value.substring(5, comma < 0 ? value.length() : comma)));
            }
        });
        return counts;
    }
}
