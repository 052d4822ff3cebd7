package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.ReplicationLedger.TableProgress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A full load that is cut off goes on where it was, whoever died. */
class PostgresLoadIT {
    private static final Duration LONG = Duration.ofSeconds(40);
    private static final List<String> TABLES = List.of("one", "two", "three", "four");
    private static final String CONTENT =
            "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM shop.%s AS t";

    @ParameterizedTest
    @ValueSource(strings = {"eden", "source", "target"})
    void goesOn(String victim) {
        try (var servers = PostgresServers.start(17, 18)) {
            schema(servers);
            servers.prepare();
            String copiedAt;
            // Somebody looks at one table and does not go away, so that it cannot be emptied for the load.
            try (PostgresSession reader = servers.control("target")) {
                try (var running = servers.replicate()) {
                    Runnable cut = () -> {
                        reader.number("SELECT count(*) FROM shop.two");
                        awaitComplete(servers, "one", "three", "four");
                        TableProgress two = table(servers, "two");
                        assertThat(two.state()).isEqualTo("copying");
                        assertThat(two.rowsTotal()).isEqualTo(3_000);
                        if (victim.equals("eden")) {
                            running.close();
                        } else {
                            servers.server(victim).kill();
                            servers.server(victim).restart();
                        }
                    };
                    if (victim.equals("target")) {
                        // The reader's session dies with it.
                        reader.execute("BEGIN");
                        cut.run();
                    } else {
                        reader.transaction(cut);
                    }
                    copiedAt = copiedAt(servers);
                    change(servers);
                    if (victim.equals("eden")) {
                        try (var another = servers.replicate()) {
                            finish(servers);
                            assertThat(another.failure.get()).isNull();
                        }
                    } else {
                        finish(servers);
                        assertThat(running.failure.get()).isNull();
                    }
                }
            }
            // Rows that were there are the very same.
            assertThat(copiedAt(servers)).isEqualTo(copiedAt);
        }
    }

    /** It is loaded as any other table, and may be the one that was not yet. */
    @Test
    void theMarkerComesToATargetThatLacksIt() {
        try (var servers = PostgresServers.start(15, 18)) {
            schema(servers);
            servers.prepare();
            String marker = EdenObjects.of(PostgresServers.MIGRATION).marker(EdenObjects.Role.SOURCE);
            try (PostgresSession reader = servers.control("target");
                    PostgresSession target = servers.control("target")) {
                try (var running = servers.replicate()) {
                    reader.transaction(() -> {
                        reader.number("SELECT count(*) FROM " + marker);
                        awaitLoaded(target, TABLES);
                        running.close();
                    });
                }
                assertThat(target.number("SELECT count(*) FROM " + marker)).isZero();
                try (var another = servers.replicate()) {
                    finish(servers);
                    await().atMost(LONG).until(() -> EdenSchema.read(target, marker, 1) > 0);
                    assertThat(another.failure.get()).isNull();
                }
            }
        }
    }

    private static void awaitLoaded(PostgresSession target, List<String> tables) {
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(target.texts("SELECT name FROM eden_m1.loaded"))
                        .contains(tables.stream().map(table -> "shop." + table).toArray(String[]::new)));
    }

    private static void schema(PostgresServers servers) {
        try (PostgresSession source = servers.own("source")) {
            source.execute("CREATE SCHEMA shop");
            for (String table : TABLES) {
                source.execute("CREATE TABLE shop." + table + " (id int PRIMARY KEY, note text)");
                source.execute("INSERT INTO shop." + table + " SELECT i, 'n' || i FROM generate_series(1, 3000) AS i");
                source.execute("CREATE INDEX ON shop." + table + " (note)");
            }
            source.execute("ANALYZE");
        }
    }

    private static void change(PostgresServers servers) {
        try (PostgresSession source = servers.own("source")) {
            for (String table : TABLES) {
                source.execute("UPDATE shop." + table + " SET note = 'changed' WHERE id BETWEEN 100 AND 200");
                source.execute("DELETE FROM shop." + table + " WHERE id = 300");
                source.execute("INSERT INTO shop." + table + " VALUES (5000, 'new')");
            }
        }
    }

    private static void finish(PostgresServers servers) {
        PostgresMigrationIT.awaitStreaming(servers);
        try (PostgresSession source = servers.control("source");
                PostgresSession target = servers.control("target")) {
            for (String table : TABLES) {
                await().atMost(LONG)
                        .untilAsserted(() -> assertThat(target.text(CONTENT.formatted(table)))
                                .isEqualTo(source.text(CONTENT.formatted(table))));
            }
            assertThat(target.number(
                            "SELECT count(*) FROM pg_index WHERE indrelid = 'shop.two'::regclass AND indisvalid"))
                    .isEqualTo(2);
        }
    }

    private static void awaitComplete(PostgresServers servers, String... tables) {
        try (PostgresSession target = servers.control("target")) {
            awaitLoaded(target, List.of(tables));
            await().atMost(LONG)
                    .until(() -> servers.store
                            .progress(PostgresServers.MIGRATION)
                            .filter(progress -> progress.keysDone() >= 9_000)
                            .isPresent());
        }
    }

    private static TableProgress table(PostgresServers servers, String name) {
        Progress progress = servers.store.progress(PostgresServers.MIGRATION).orElseThrow();
        return Objects.requireNonNull(progress.tables()).stream()
                .filter(table -> table.name().equals("shop." + name))
                .findFirst()
                .orElseThrow();
    }

    /** The transactions that wrote rows nobody has changed since. */
    private static String copiedAt(PostgresServers servers) {
        try (PostgresSession target = servers.control("target")) {
            return target.text(
                            "SELECT string_agg(DISTINCT xmin::text, ' ') FROM (SELECT xmin FROM shop.one WHERE id < 100"
                                    + " UNION ALL SELECT xmin FROM shop.three WHERE id < 100 UNION ALL SELECT xmin FROM shop.four WHERE id < 100) AS t")
                    .orElseThrow();
        }
    }
}
