package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.Endpoint;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code POST /endpoints/{id}/check} reports: connects now, looks, changes nothing. */
public final class RedisCheck {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int PINGS = 5;

    /**
     * @param latencyMs median round trip of a PING, milliseconds
     * @param abilities by name: {@code acl}, {@code psync}, {@code config}, {@code pause}, {@code functions}, {@code noeviction}
     */
    public record Checked(String version, String role, double latencyMs, Map<String, Boolean> abilities) {}

    /**
     * Throws {@link dev.eden.activities.redis.RedisConnectionException} when the server cannot be reached and
     * {@link dev.eden.activities.redis.RedisException} when it refuses the login.
     */
    public Checked check(Endpoint endpoint) {
        try (RespConnection connection = RespConnection.connect(endpoint, "eden:check", TIMEOUT)) {
            double[] millis = new double[PINGS];
            for (int i = 0; i < PINGS; i++) {
                long start = System.nanoTime();
                connection.call("PING");
                millis[i] = (System.nanoTime() - start) / 1e6;
            }
            java.util.Arrays.sort(millis);
            ServerInfo info = ServerInfo.read(connection, "server", "replication", "memory");
            Abilities may = new Abilities(connection);
            Map<String, Boolean> abilities = new LinkedHashMap<>();
            abilities.put("acl", may.of("ACL", "SETUSER", "eden-check").allowed());
            abilities.put("psync", may.of("PSYNC", "?", "-1").allowed());
            abilities.put("config", may.of("CONFIG", "GET", "maxmemory").allowed());
            abilities.put(
                    "pause",
                    info.atLeast(6, 2)
                            && may.of("CLIENT", "PAUSE", "1", "WRITE").allowed());
            abilities.put("functions", info.atLeast(7, 0));
            abilities.put(
                    "noeviction",
                    info.number("maxmemory") == 0
                            || info.text("maxmemory_policy").equals("noeviction"));
            return new Checked(info.version(), info.text("role"), millis[PINGS / 2], Map.copyOf(abilities));
        }
    }
}
