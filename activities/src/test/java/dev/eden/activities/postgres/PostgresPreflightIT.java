package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.migration.ProxyConnections;
import dev.eden.activities.postgres.preflight.PostgresCopyForecast;
import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.activities.store.UserDirectory;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A pair that has nothing in its way, before and after it was prepared. */
class PostgresPreflightIT {

    @Test
    void anOrdinaryPairHasNoFailure() {
        try (var servers = PostgresServers.start(15, 18)) {
            PostgresMigrationIT.schema(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute(
                        "CREATE TABLE public.never_analysed (i int PRIMARY KEY); INSERT INTO public.never_analysed SELECT generate_series(1, 100000)");
            }
            assertThat(PostgresCopyForecast.of(servers.endpoint("source")).items())
                    .as("nobody knows how many rows, but none would be wrong")
                    .isGreaterThan(10_000);
            Map<String, String> findings = findings(servers);
            assertThat(findings).doesNotContainValue("failure");
            assertThat(findings)
                    .containsEntry("postgres.tables.keyless", "warning")
                    .containsEntry("postgres.roles.copied", "info")
                    .containsEntry("postgres.sequences", "info")
                    .containsEntry("postgres.columns.generated", "info")
                    .containsEntry("postgres.columns.identity", "info")
                    .containsEntry("postgres.fence.superusers", "warning")
                    .containsEntry("postgres.slots.unbounded", "warning")
                    .containsEntry("postgres.target.disk", "info");
            servers.prepare();
            assertThat(findings(servers)).doesNotContainValue("failure");
            assertThat(servers.records.get(PostgresServers.MIGRATION, "source", "saved:identities"))
                    .hasValueSatisfying(stored ->
                            assertThat(stored).as("servers of before append").endsWith("\n"));
            connectionsOfAProxyShowByItsName(servers);
        }
    }

    /** What is asked before the row of a silent proxy is removed. */
    private static void connectionsOfAProxyShowByItsName(PostgresServers servers) {
        ProxyConnections shown = new ProxyConnections(servers, servers.records);
        Duration limit = Duration.ofSeconds(10);
        assertThat(shown.count("source", null, "p1")).isZero();
        try (PostgresSession _ = PostgresSession.connect(servers.endpoint("source"), "eden:p1", limit);
                PostgresSession _ = PostgresSession.connect(servers.endpoint("source"), "eden:p10", limit)) {
            assertThat(shown.count("source", null, "p1")).isEqualTo(1);
            assertThat(shown.count("source", PostgresServers.MIGRATION, "p1")).isEqualTo(1);
            assertThat(shown.count("target", PostgresServers.MIGRATION, "p1"))
                    .as("fenced, by Eden's own role")
                    .isZero();
        }
    }

    private static Map<String, String> findings(PostgresServers servers) {
        return new PostgresPreflight(
                        servers, servers.records, UserDirectory.NONE, new PostgresPreflight.Limits(100_000, 1, 1))
                .preflight(PostgresServers.spec()).findings().stream()
                        .collect(Collectors.toMap(Finding::id, Finding::severity, (one, other) -> one));
    }
}
