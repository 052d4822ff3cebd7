package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A pair that has nothing in its way, before and after it was prepared. */
class PostgresPreflightIT {

    @Test
    void anOrdinaryPairHasNoFailure() {
        try (var servers = PostgresServers.start(15, 18)) {
            PostgresMigrationIT.schema(servers);
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
        }
    }

    private static Map<String, String> findings(PostgresServers servers) {
        return new PostgresPreflight(servers, servers.records, new PostgresPreflight.Limits(100_000, 1, 1))
                .preflight(PostgresServers.spec()).findings().stream()
                        .collect(Collectors.toMap(Finding::id, Finding::severity, (one, other) -> one));
    }
}
