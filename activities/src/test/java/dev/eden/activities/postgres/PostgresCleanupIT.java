package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.cleanup.CleanupIncomplete;
import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** A migration that ends while one of its servers is away. */
class PostgresCleanupIT {

    @Test
    void theSourceIsFreeThoughTheTargetIsAway() {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.keyless (n int)");
            }
            String before = PostgresMigrationIT.portrait(servers, "source");
            move(servers);
            servers.target.kill();
            assertThatThrownBy(() -> cleanUp(servers, false))
                    .isInstanceOf(CleanupIncomplete.class)
                    .hasMessageContaining("target is not clean yet: it cannot be reached")
                    .hasMessageContaining("source is clean")
                    .hasMessageNotContaining(Integer.toString(servers.target.port()));
            PostgresMigrationIT.assertNothingLeft(servers, "source");
            assertThat(PostgresMigrationIT.portrait(servers, "source")).isEqualTo(before);

            // Its own again: what is changed there stays.
            try (PostgresSession source = servers.own("source")) {
                source.execute("ALTER TABLE public.keyless REPLICA IDENTITY FULL; DROP TABLE public.t");
            }
            servers.target.restart();
            cleanUp(servers, false);
            PostgresMigrationIT.assertNothingLeft(servers, "target");
            try (PostgresSession source = servers.own("source")) {
                assertThat(source.text("SELECT relreplident::text FROM pg_class WHERE relname = 'keyless'"))
                        .hasValue("f");
            }
            assertThat(servers.records.isEmpty()).isTrue();
        }
    }

    @Test
    void theTargetIsFreeThoughTheSourceIsAway() throws SQLException {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY); CREATE ROLE app LOGIN PASSWORD 'app'");
            }
            move(servers);
            servers.source.kill();
            assertThatThrownBy(() -> cleanUp(servers, true))
                    .hasMessageContaining("source is not clean yet: it cannot be reached")
                    .hasMessageContaining("target is clean");
            PostgresMigrationIT.assertNothingLeft(servers, "target");
            servers.application("target").close();
            servers.source.restart();
            cleanUp(servers, true);
            PostgresMigrationIT.assertNothingLeft(servers, "source");
        }
    }

    private static void move(PostgresServers servers) {
        servers.prepare();
        try (var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            assertThat(running.failure.get()).isNull();
        }
        servers.store.detach(PostgresServers.MIGRATION);
    }

    private static void cleanUp(PostgresServers servers, boolean completed) {
        new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), completed, false);
    }
}
