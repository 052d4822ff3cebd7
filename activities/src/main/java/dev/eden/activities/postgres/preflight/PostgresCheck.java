package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.Endpoint;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code POST /endpoints/{id}/check} reports: connects now, looks, changes nothing. */
public final class PostgresCheck {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int PINGS = 5;

    /**
     * @param role {@code primary} or {@code standby}
     * @param latencyMs median round trip of an empty query, milliseconds
     * @param abilities by name: {@code superuser}, {@code logical} (wal_level), {@code slots}, {@code senders} (some are free), {@code verifiers}
     *     (the passwords' verifiers can be read)
     */
    public record Checked(String version, String role, double latencyMs, Map<String, Boolean> abilities) {}

    /**
     * Throws {@link dev.eden.activities.postgres.PostgresConnectionException} when the server cannot be reached and {@link
     * dev.eden.activities.postgres.PostgresException} when it refuses the login.
     */
    public Checked check(Endpoint endpoint) {
        try (PostgresSession session = PostgresSession.connect(endpoint, "eden:check", LIMIT)) {
            double[] millis = new double[PINGS];
            for (int i = 0; i < PINGS; i++) {
                long start = System.nanoTime();
                session.number("SELECT 1");
                millis[i] = (System.nanoTime() - start) / 1e6;
            }
            Arrays.sort(millis);
            Map<String, Boolean> abilities = new LinkedHashMap<>();
            abilities.put("superuser", session.is("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"));
            abilities.put("logical", session.is("SELECT current_setting('wal_level') = 'logical'"));
            abilities.put(
                    "slots",
                    session.is(
                            "SELECT current_setting('max_replication_slots')::int > (SELECT count(*) FROM pg_replication_slots)"));
            abilities.put(
                    "senders",
                    session.is(
                            "SELECT current_setting('max_wal_senders')::int > (SELECT count(*) FROM pg_stat_replication)"));
            abilities.put("verifiers", session.is("SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')"));
            return new Checked(
                    session.text("SHOW server_version").orElse(""),
                    session.is("SELECT pg_is_in_recovery()") ? "standby" : "primary",
                    millis[PINGS / 2],
                    Map.copyOf(abilities));
        }
    }
}
