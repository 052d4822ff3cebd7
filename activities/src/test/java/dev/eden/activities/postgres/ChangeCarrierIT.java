package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.replication.Appliers;
import dev.eden.activities.postgres.replication.ReplicationStopped;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of the schema that both servers make of the same words, each by itself. */
class ChangeCarrierIT {
    private static final Duration LONG = Duration.ofSeconds(90);
    private static final String CARRIED =
            EdenObjects.of(PostgresServers.MIGRATION).carried();

    /** The standby looks for a type in the table's schema, the session where it has been told to. */
    @Test
    void aColumnOfAnotherTypeOfTheSameNameIsNotDropped() throws SQLException {
        try (var servers = PostgresServers.start(16, 16)) {
            PostgresMigrationIT.schema(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE SCHEMA other");
                source.execute("GRANT USAGE ON SCHEMA other TO PUBLIC");
                source.execute("CREATE TYPE other.mood AS ENUM ('fine', 'grim')");
            }
            servers.prepare(PostgresServers.spec("additive"));
            try (var running = servers.replicate();
                    Connection application = servers.application("source");
                    var statement = application.createStatement()) {
                PostgresMigrationIT.awaitStreaming(servers);
                statement.execute("SET search_path = other, shop");
                statement.execute("ALTER TABLE events ADD feeling mood");
                await().atMost(LONG)
                        .untilAsserted(() -> assertThat(running.failure.get())
                                .isInstanceOf(ReplicationStopped.class)
                                .hasMessageContaining("\"feeling\"")
                                .hasMessageContaining("other.mood on source")
                                .hasMessageContaining("shop.mood on target"));
            }
            try (PostgresSession target = servers.control("target");
                    PostgresSession source = servers.own("source")) {
                assertThat(type(target)).isEqualTo("shop.mood");
                assertThat(target.number("SELECT count(*) FROM " + CARRIED))
                        .as("nothing cuts over")
                        .isEqualTo(1);
                // What the runbook says.
                source.execute("SET eden.schema_freeze = off");
                source.execute("ALTER TABLE shop.events ALTER feeling TYPE shop.mood USING feeling::text::shop.mood");
                try (var running = servers.replicate()) {
                    await().atMost(LONG).until(() -> target.number("SELECT count(*) FROM " + CARRIED) == 0);
                    PostgresMigrationIT.awaitStreaming(servers);
                    assertThat(running.failure.get()).isNull();
                }
                assertThat(type(target)).isEqualTo(type(source));
            }
        }
    }

    /** Both sides would fill the rows that exist, each by the settings of its own session. */
    @Test
    void aDefaultThatIsReadByPartsIsRefused() throws SQLException {
        try (var servers = PostgresServers.start(15, 18)) {
            PostgresMigrationIT.schema(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TYPE shop.two AS (at timestamptz, n int)");
                source.execute("CREATE TYPE shop.span AS RANGE (SUBTYPE = date)");
                source.execute("CREATE DOMAIN shop.day AS date");
            }
            servers.prepare(PostgresServers.spec("additive"));
            try (var running = servers.replicate();
                    Connection application = servers.application("source");
                    var statement = application.createStatement()) {
                PostgresMigrationIT.awaitStreaming(servers);
                for (String column : List.of(
                        "shop.two DEFAULT '(\"2024-01-01 00:00\",1)'",
                        "shop.two[] DEFAULT '{}'",
                        "shop.span NOT NULL DEFAULT '[01/02/2024,)'",
                        "shop.span_multirange DEFAULT '{[01/02/2024,)}'",
                        "text DEFAULT '[01/02/2024,)'::shop.span::text",
                        "text DEFAULT '01/02/2024'::shop.day::text")) {
                    assertThatThrownBy(() -> statement.execute("ALTER TABLE shop.events ADD feeling " + column), column)
                            .hasMessageContaining("a composite, range or domain type")
                            .isInstanceOfSatisfying(
                                    SQLException.class,
                                    e -> assertThat(e.getSQLState()).isEqualTo("55000"));
                }
                statement.execute("ALTER TABLE shop.events ADD feeling shop.two, ADD more shop.span DEFAULT NULL,"
                        + " ADD mood shop.mood NOT NULL DEFAULT 'fine'");
                try (PostgresSession target = servers.control("target")) {
                    assertThat(type(target)).isEqualTo("shop.two");
                }
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    /** A worker that was given up for dead goes on with what it saw: that a change has come to nothing, which another has settled since, or a flip has overtaken. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoeverIsLateTakesNothingBack(boolean flipped) throws SQLException {
        try (var servers = PostgresServers.start(16, 16)) {
            PostgresMigrationIT.schema(servers);
            servers.prepare(PostgresServers.spec("additive"));
            EdenObjects names = servers.pair().names();
            try (var running = servers.replicate();
                    Connection application = servers.application("source");
                    var statement = application.createStatement();
                    PostgresSession source = servers.own("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession reader = servers.control("target")) {
                PostgresMigrationIT.awaitStreaming(servers);
                application.setAutoCommit(false);
                statement.execute("ALTER TABLE shop.events ADD feeling text");
                reader.transaction(() -> {
                    reader.execute("LOCK TABLE shop.events IN ACCESS SHARE MODE");
                    rollback(application);
                    await().atMost(LONG)
                            .until(
                                    () -> target.is(
                                            "SELECT true FROM pg_locks WHERE relation = 'shop.events'::regclass AND NOT granted AND mode = 'AccessExclusiveLock'"));
                    if (flipped) {
                        Appliers.revoke(target, names, LONG);
                    } else {
                        target.execute("DELETE FROM " + CARRIED);
                        source.execute("SET eden.schema_freeze = off");
                        source.execute("ALTER TABLE shop.events ADD feeling text");
                    }
                });
                await().atMost(LONG)
                        .until(() -> target.number(
                                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = ? AND state <> 'idle'",
                                        names.session("carry"))
                                == 0);
                assertThat(type(target)).isEqualTo("text");
                if (!flipped) {
                    source.execute("INSERT INTO shop.events (event, feeling) VALUES ('after', 'fine')");
                    await().atMost(LONG).until(() -> target.is("SELECT true FROM shop.events WHERE feeling = 'fine'"));
                    assertThat(running.failure.get()).isNull();
                }
            }
        }
    }

    /** What an earlier one of the same table has left on the standby, the one that is being made rests on. */
    @Test
    void aTypeIsNotNarrowedUnderAChangeThatIsBeingMade() throws SQLException {
        try (var servers = PostgresServers.start(16, 16)) {
            PostgresMigrationIT.schema(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute("ALTER TABLE shop.events ADD feeling int");
            }
            servers.prepare(PostgresServers.spec("additive"));
            try (var running = servers.replicate();
                    Connection application = servers.application("source");
                    var statement = application.createStatement();
                    PostgresSession source = servers.own("source");
                    PostgresSession target = servers.control("target")) {
                PostgresMigrationIT.awaitStreaming(servers);
                application.setAutoCommit(false);
                statement.execute("ALTER TABLE shop.events ALTER feeling TYPE bigint");
                long events = source.number("SELECT 'shop.events'::regclass::oid::bigint");
                // Of a session that rolled back just before this one was heard; the other, looked at after it, has
                // ended.
                target.update(
                        "INSERT INTO " + CARRIED + " VALUES (0, now(), ?::oid, 'shop.events', '{feeling}', '{bigint}',"
                                + " 'ALTER TABLE shop.events ALTER COLUMN \"feeling\" TYPE integer'),"
                                + " (1, '2000-01-01', 0, 'shop.lines', '{}', '{}', '')",
                        events);
                await().atMost(LONG)
                        .until(() -> target.number("SELECT count(*) FROM " + CARRIED + " WHERE pid = 1") == 0);
                assertThat(type(target)).isEqualTo("bigint");
                application.commit();
                await().atMost(LONG).until(() -> target.number("SELECT count(*) FROM " + CARRIED) == 0);
                assertThat(type(target)).isEqualTo("bigint");
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static void rollback(Connection connection) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String type(PostgresSession session) {
        return session.text("SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                        + " WHERE attrelid = 'shop.events'::regclass AND attname = 'feeling' AND NOT attisdropped")
                .orElse("");
    }
}
