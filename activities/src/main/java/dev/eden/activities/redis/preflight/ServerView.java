package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.preparation.SavedSettings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What preflight reads of one server.
 *
 * @param side {@code source} or {@code target}
 * @param settings those that the server let Eden read
 * @param users empty where ACL LIST is forbidden
 * @param modules names
 * @param functions libraries
 * @param clockOffsetMillis the server's clock minus this machine's
 */
record ServerView(
        String side,
        String endpoint,
        ServerInfo info,
        Map<String, String> settings,
        Optional<AclSnapshot> users,
        List<String> modules,
        int functions,
        double clockOffsetMillis,
        Map<String, Abilities.Ability> abilities) {
    private static final List<String> SETTINGS = List.of(
            "maxmemory-policy",
            "save",
            "appendonly",
            "aclfile",
            "databases",
            "maxclients",
            "client-output-buffer-limit",
            "repl-backlog-size",
            "lua-replicate-commands");
    private static final int CLOCK_SAMPLES = 5;

    static ServerView read(String side, String endpoint, RespConnection connection) {
        ServerInfo info = ServerInfo.read(connection);
        Abilities may = new Abilities(connection);
        Map<String, Abilities.Ability> abilities = new HashMap<>();
        abilities.put("acl", may.of("ACL", "SETUSER", "eden-preflight"));
        abilities.put("psync", may.of("PSYNC", "?", "-1"));
        abilities.put("config", may.of("CONFIG", "SET", "repl-backlog-size", "1048576"));
        abilities.put("pause", may.of("CLIENT", "PAUSE", "1", "WRITE"));
        abilities.put("restore", may.of("RESTORE", "k", "0", "v"));
        abilities.put("dump", may.of("DUMP", "k"));
        Map<String, String> settings = new HashMap<>();
        for (String name : SETTINGS) {
            SavedSettings.read(connection, name).ifPresent(value -> settings.put(name, value));
        }
        Optional<AclSnapshot> users =
                connection.ask("ACL", "LIST").isError() ? Optional.empty() : Optional.of(AclSnapshot.take(connection));
        return new ServerView(
                side,
                endpoint,
                info,
                Map.copyOf(settings),
                users,
                modules(connection),
                info.atLeast(7, 0) ? size(connection.ask("FUNCTION", "LIST")) : 0,
                clockOffset(connection),
                Map.copyOf(abilities));
    }

    Abilities.Ability ability(String name) {
        return abilities.getOrDefault(name, Abilities.Ability.FORBIDDEN);
    }

    Optional<String> setting(String name) {
        return Optional.ofNullable(settings.get(name));
    }

    long keys() {
        return info.keysByDatabase().values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /** {@code source endpoint ID}, for messages. */
    String name() {
        return side + " endpoint " + endpoint;
    }

    private static List<String> modules(RespConnection connection) {
        Reply list = connection.ask("MODULE", "LIST");
        if (list.isError()) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        for (Reply module : list.items()) {
            List<Reply> fields = module.items();
            for (int i = 0; i + 1 < fields.size(); i += 2) {
                if (fields.get(i).text().equals("name")) {
                    names.add(fields.get(i + 1).text());
                }
            }
        }
        return List.copyOf(names);
    }

    private static int size(Reply reply) {
        return reply.isError() ? 0 : reply.items().size();
    }

    /** Of several exchanges the one with the shortest round trip: its middle is where the server read its clock. */
    private static double clockOffset(RespConnection connection) {
        long shortest = Long.MAX_VALUE;
        double offset = 0;
        for (int i = 0; i < CLOCK_SAMPLES; i++) {
            long wallBefore = System.currentTimeMillis();
            long start = System.nanoTime();
            Reply reply = connection.ask("TIME");
            long took = System.nanoTime() - start;
            if (!reply.isError() && took < shortest) {
                shortest = took;
                double server = reply.items().get(0).number() * 1e3
                        + reply.items().get(1).number() / 1e3;
                offset = server - (wallBefore + took / 2e6);
            }
        }
        return offset;
    }
}
