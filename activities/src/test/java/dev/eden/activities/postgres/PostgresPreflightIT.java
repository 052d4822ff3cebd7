package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Each hazard as a fixture, and the finding that it has. */
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

    @Test
    void everyHazardHasItsFinding() throws Exception {
        try (var servers = PostgresServers.start(18, 16)) {
            try (PostgresSession source = servers.own("source");
                    PostgresSession target = servers.own("target")) {
                for (String sql : List.of(
                        "CREATE SCHEMA shop",
                        "CREATE TABLE shop.big (a int, b text)",
                        "INSERT INTO shop.big SELECT i, repeat('x', 1000) FROM generate_series(1, 200) AS i",
                        "CREATE UNLOGGED TABLE shop.volatile (id int PRIMARY KEY)",
                        "INSERT INTO shop.volatile VALUES (1)",
                        "SELECT lo_create(0)",
                        "CREATE TABLE shop.t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)",
                        "CREATE MATERIALIZED VIEW shop.m AS SELECT 1 AS a",
                        "ALTER TABLE shop.t ENABLE ROW LEVEL SECURITY",
                        "CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
                        "CREATE TRIGGER always AFTER INSERT ON shop.t FOR EACH ROW EXECUTE FUNCTION shop.f()",
                        "ALTER TABLE shop.t ENABLE ALWAYS TRIGGER always",
                        "CREATE FUNCTION shop.e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
                        "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION shop.e()",
                        "CREATE AGGREGATE shop.total (int) (SFUNC = int4pl, STYPE = int)",
                        "CREATE PUBLICATION theirs FOR TABLE shop.t",
                        "CREATE SCHEMA eden_m1",
                        "CREATE ROLE everywhere LOGIN PASSWORD 'here'",
                        "CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)")) {
                    source.execute(sql);
                }
                target.execute("CREATE ROLE everywhere LOGIN PASSWORD 'there'");
                target.execute("CREATE SCHEMA shop");
                target.execute("CREATE TABLE shop.t (id int PRIMARY KEY, wanted int NOT NULL)");
                target.execute("INSERT INTO shop.t VALUES (1, 1)");
                try (var connection = java.sql.DriverManager.getConnection(
                                servers.source.jdbcUrl(), servers.source.user(), servers.source.password());
                        var statement = connection.createStatement()) {
                    connection.setAutoCommit(false);
                    statement.execute("INSERT INTO shop.t (id) VALUES (5)");
                    statement.execute("PREPARE TRANSACTION 'open'");
                    Map<String, String> findings = findings(servers);
                    assertThat(findings)
                            .containsEntry("postgres.tables.keyless_large", "failure")
                            .containsEntry("postgres.tables.unlogged", "failure")
                            .containsEntry("postgres.large_objects", "failure")
                            .containsEntry("postgres.columns.virtual", "failure")
                            .containsEntry("postgres.materialized_views", "warning")
                            .containsEntry("postgres.row_security", "info")
                            .containsEntry("postgres.triggers.always", "failure")
                            .containsEntry("postgres.event_triggers", "warning")
                            .containsEntry("postgres.schema.not_copied", "warning")
                            .containsEntry("postgres.names.taken", "failure")
                            .containsEntry("postgres.roles.differ", "warning")
                            .containsEntry("postgres.subscriptions.other", "failure")
                            .containsEntry("postgres.version.downgrade", "warning")
                            .containsEntry("postgres.target.not_empty", "failure")
                            .containsEntry("postgres.target.schema", "failure")
                            .containsEntry("postgres.transactions.prepared", "warning");
                }
            }
        }
    }

    private static Map<String, String> findings(PostgresServers servers) {
        return new PostgresPreflight(servers, servers.records, 100_000)
                .preflight(PostgresServers.spec()).findings().stream()
                        .collect(Collectors.toMap(Finding::id, Finding::severity, (one, other) -> one));
    }
}
