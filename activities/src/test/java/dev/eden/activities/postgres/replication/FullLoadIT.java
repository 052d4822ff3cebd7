package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.store.ReplicationLedger.TableProgress;
import dev.eden.proxy.Failpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What the load copies, by parts and whole, in whichever format a table's types allow. */
class FullLoadIT {
    private static final List<String> TABLES =
            List.of("numbers", "kinds", "own", "parent", "child", "parts_1", "deferred");

    @Test
    void everyRowOfEveryType() {
        try (var servers = PostgresServers.start(14, 18)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        CREATE SCHEMA shop;
                        CREATE TYPE shop.mood AS ENUM ('fine', 'so so');
                        CREATE TYPE shop.pair AS (a int, b shop.mood);
                        CREATE DOMAIN shop.amount AS numeric CHECK (VALUE > -5);
                        CREATE TABLE shop.numbers (id int PRIMARY KEY, n numeric, filler text) ;
                        INSERT INTO shop.numbers SELECT i, i / 7.0, repeat('x', 100) FROM generate_series(1, 30000) AS i;
                        DELETE FROM shop.numbers WHERE id % 100 = 3;
                        CREATE TABLE shop.kinds (id int PRIMARY KEY, a int[], b jsonb, c tstzrange, d timestamptz, e bytea, f inet, g uuid, h shop.amount, i interval,
                            j float8, k bit varying(9), l tsvector, m xml, n "char", o name, p point, q macaddr, r int4multirange);
                        INSERT INTO shop.kinds VALUES (1, '{1,NULL,3}', '{"a": [1, null]}', '[2026-01-01,)', '2026-02-03 04:05:06.789+02', '\\x0001ff', '10.0.0.0/8',
                            gen_random_uuid(), 'NaN', '1 mon 2 days -03:00', 1e-300, B'101', 'a:1 b:2'::tsvector, '<a/>', 'x', 'n', '(1,2)', '08:00:2b:01:02:03', '{[1,3),[5,7)}'),
                            (2, NULL, NULL, 'empty', '-infinity', '', NULL, NULL, NULL, NULL, 'NaN', B'', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
                        CREATE TABLE shop.own (id int PRIMARY KEY, a shop.mood, b shop.mood[], c shop.pair, d regclass, e text);
                        INSERT INTO shop.own VALUES (1, 'so so', '{fine,"so so"}', '(1,fine)', 'shop.kinds', E'tab\\t\\\\back\\nline'), (2, NULL, NULL, NULL, NULL, NULL);
                        CREATE TABLE shop.parent (id int PRIMARY KEY);
                        CREATE TABLE shop.child (more text) INHERITS (shop.parent);
                        INSERT INTO shop.parent VALUES (1), (2);
                        INSERT INTO shop.child VALUES (3, 'c');
                        CREATE TABLE shop.parts (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
                        CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (100);
                        INSERT INTO shop.parts SELECT generate_series(1, 50);
                        CREATE TABLE shop.deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, twice int GENERATED ALWAYS AS (id * 2) STORED);
                        INSERT INTO shop.deferred VALUES (1);
                        CREATE TABLE shop.empty (id int PRIMARY KEY);
                        ANALYZE;
                        """);
            }
            servers.prepare();
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target")) {
                assertThat(TableCopy.of("shop.kinds", source, target).binary()).isTrue();
                assertThat(TableCopy.of("shop.own", source, target).binary()).isFalse();
                EdenSchema.write(source, servers.pair().names().marker(Role.SOURCE), ReplicationRun.LAG_ROW, 1);
                new Link(servers.pair(), Role.SOURCE).publication(source, UserTables.published(source));
                // The largest in dozens of parts, the others whole.
                FullLoad load = new FullLoad(servers.pair(), new CopyPace(), session -> {}, 100_000);
                load.run(source, target, UserTables.leaves(source));
                for (String table : TABLES) {
                    String sql = "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM ONLY shop." + table
                            + " AS t";
                    assertThat(target.text(sql)).as(table).isEqualTo(source.text(sql));
                }
                LoadProgress progress = load.progress();
                assertThat(progress.ready()).isTrue();
                assertThat(progress.rowsDone())
                        .as("rows of users")
                        .isEqualTo(progress.rowsTotal())
                        .isEqualTo(29_700 + 2 + 2 + 2 + 1 + 50 + 1);
                assertThat(progress.tables())
                        .extracting(TableProgress::name)
                        .noneMatch(name -> name.contains("eden_"))
                        .hasSize(TABLES.size() + 1);
                assertThat(progress.tables())
                        .filteredOn(table -> table.name().equals("shop.numbers"))
                        .extracting(TableProgress::rows)
                        .containsExactly(29_700L);
                assertThat(target.texts("SELECT name FROM eden_m1.loaded"))
                        .contains(
                                "shop.numbers",
                                "shop.empty",
                                servers.pair().names().marker(Role.SOURCE));
            }
        }
    }

    /** What a part has brought is not complete: the next load begins the table anew. */
    @Test
    void aTableWhosePartsWereCutOffHasNoRowTwice() throws IOException {
        Path failpoints = Files.createDirectories(
                Path.of(Objects.requireNonNull(System.getProperty("eden.failpoints"), "set by the build")));
        try (var servers = PostgresServers.start(15, 17)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        CREATE SCHEMA shop;
                        CREATE TABLE shop.numbers (n int, filler text);
                        INSERT INTO shop.numbers SELECT i, repeat('x', 100) FROM generate_series(1, 30000) AS i;
                        CREATE TABLE shop.few (id int PRIMARY KEY);
                        INSERT INTO shop.few VALUES (1), (2);
                        ANALYZE;
                        """);
            }
            servers.prepare();
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target")) {
                new Link(servers.pair(), Role.SOURCE).publication(source, UserTables.published(source));
                FullLoad load = new FullLoad(servers.pair(), new CopyPace(), session -> {}, 100_000);
                Files.deleteIfExists(failpoints.resolve("load.split.hit")); // of a run before
                Files.writeString(failpoints.resolve("load.split"), "error");
                assertThatThrownBy(() -> load.run(source, target, UserTables.leaves(source)))
                        .isInstanceOf(Failpoints.FailpointException.class);
                assertThat(target.number("SELECT count(*) FROM shop.numbers")).isBetween(1L, 29_999L);
                assertThat(FullLoad.done(target, servers.pair().names())).doesNotContain("shop.numbers");

                try (var _ = servers.replicate()) {
                    await().atMost(Duration.ofSeconds(90))
                            .untilAsserted(() -> assertThat(target.number(
                                            "SELECT count(*) FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE subname = ? AND srsubstate = 'r'",
                                            servers.pair().names().main()))
                                    .isEqualTo(3));
                    assertThat(target.number("SELECT count(*) FROM shop.numbers"))
                            .isEqualTo(30_000);
                    assertThat(target.number("SELECT count(DISTINCT n) FROM shop.numbers"))
                            .isEqualTo(30_000);
                    assertThat(target.number("SELECT count(*) FROM shop.few")).isEqualTo(2);
                }
            }
        }
    }
}
