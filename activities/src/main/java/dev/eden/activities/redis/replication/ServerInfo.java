package dev.eden.activities.redis.replication;

import dev.eden.activities.store.RouteLedger;

/** Fields of the {@code INFO} reply. */
final class ServerInfo {
    private ServerInfo() {}

    static RouteLedger.Position position(String info) {
        return new RouteLedger.Position(
                field(info, "master_replid"), Long.parseLong(field(info, "master_repl_offset")));
    }

    static int majorVersion(String info) {
        String version = field(info, "redis_version");
        return Integer.parseInt(version.substring(0, version.indexOf('.')));
    }

    /** Keys in all databases, from {@code INFO keyspace}. */
    static long keys(String info) {
        return info.lines()
                .filter(line -> line.matches("db\\d+:keys=\\d+,.*"))
                .mapToLong(line -> Long.parseLong(line.substring(line.indexOf('=') + 1, line.indexOf(','))))
                .sum();
    }

    /** Throws when the field is absent. */
    static String field(String info, String name) {
        int at = info.startsWith(name + ":") ? 0 : info.indexOf("\n" + name + ":") + 1;
        if (at == 0 && !info.startsWith(name + ":")) {
            throw new IllegalStateException("INFO has no field " + name);
        }
        int from = at + name.length() + 1;
        int to = from;
        while (to < info.length() && info.charAt(to) != '\r' && info.charAt(to) != '\n') {
            to++;
        }
        return info.substring(from, to);
    }
}
