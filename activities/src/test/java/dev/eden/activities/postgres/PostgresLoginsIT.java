package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import dev.eden.activities.postgres.schema.RoleCopier;
import dev.eden.activities.redis.preparation.InterceptedRecords;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who may log in changes on the side that owns writes while the migration runs: what is so there at a flip is so on the other side after it. */
class PostgresLoginsIT {

    @Test
    void whoMayLogInFollowsWritesForwardsAndBack() throws SQLException {
        try (var servers = PostgresServers.start(15, 18)) {
            PostgresMigrationIT.schema(servers);
            execute(servers, "source", """
                    CREATE ROLE leaver LOGIN PASSWORD 'leaver';
                    REVOKE CONNECT ON DATABASE eden FROM PUBLIC;
                    GRANT CONNECT ON DATABASE eden TO app, leaver;""");
            execute(servers, "target", """
                    CREATE ROLE theirs LOGIN PASSWORD 'theirs';
                    REVOKE CONNECT ON DATABASE eden FROM PUBLIC;
                    GRANT CONNECT ON DATABASE eden TO theirs;""");
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                execute(servers, "source", """
                        CREATE ROLE late LOGIN PASSWORD 'late' IN ROLE readers;
                        ALTER ROLE late SET work_mem = '8MB';
                        CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'boss';
                        GRANT CONNECT ON DATABASE eden TO late;
                        REVOKE CONNECT ON DATABASE eden FROM leaver;
                        ALTER ROLE app PASSWORD 'second';""");
                flip(servers, true, 1);
                assertComesIn(servers, "target", "late", "late");
                assertComesIn(servers, "target", "boss", "boss");
                assertComesIn(servers, "target", "app", "second");
                assertComesIn(servers, "target", "theirs", "theirs");
                assertRefused(servers, "target", "leaver", "leaver");

                execute(servers, "target", """
                        CREATE ROLE newer LOGIN PASSWORD 'newer' IN ROLE theirs;
                        GRANT CONNECT ON DATABASE eden TO newer;
                        CREATE ROLE chief SUPERUSER LOGIN PASSWORD 'chief';
                        REVOKE CONNECT ON DATABASE eden FROM late;
                        ALTER ROLE app PASSWORD 'third';""");
                flip(servers, false, 2);
                assertComesIn(servers, "source", "newer", "newer");
                assertComesIn(servers, "source", "chief", "chief");
                assertComesIn(servers, "source", "app", "third");
                assertRefused(servers, "source", "late", "late");
                assertRefused(servers, "source", "theirs", "theirs");
                try (PostgresSession source = servers.own("source")) {
                    assertThat(source.is("SELECT true FROM pg_roles WHERE rolname = 'theirs'"))
                            .isFalse();
                }

                execute(servers, "source", """
                        CREATE ROLE last LOGIN PASSWORD 'last';
                        GRANT CONNECT ON DATABASE eden TO last;""");
                flip(servers, true, 3);
                assertComesIn(servers, "target", "last", "last");
                assertComesIn(servers, "target", "newer", "newer");
                assertComesIn(servers, "target", "theirs", "theirs");
                flip(servers, false, 4);
                assertThat(running.failure.get()).isNull();
            }
            servers.store.detach(PostgresServers.MIGRATION);
            new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), false, true);
            PostgresMigrationIT.assertNothingLeft(servers);
            // What came to either by its users stays; what Eden brought to the target is gone.
            assertRoles(servers, "source", "app", "boss", "chief", "last", "late", "leaver", "newer", "readers");
            assertRoles(servers, "target", "chief", "newer", "theirs");
            assertComesIn(servers, "source", "newer", "newer");
            assertComesIn(servers, "target", "theirs", "theirs");
        }
    }

    /** By a process that dies: what it had noted harms nobody, the next attempt does all of it, and the end leaves nothing. */
    @Test
    void whatIsCutOffIsDoneByTheNextAttempt() {
        try (var servers = PostgresServers.start(17, 17)) {
            execute(servers, "source", "CREATE ROLE app LOGIN PASSWORD 'app'");
            servers.prepare();
            execute(servers, "source", """
                    CREATE ROLE late LOGIN PASSWORD 'late' IN ROLE app;
                    ALTER ROLE app PASSWORD 'second'""");
            Pair pair = servers.pair();
            Pair dying = new Pair(
                    pair.migration(),
                    pair.source(),
                    pair.target(),
                    servers,
                    new InterceptedRecords(pair.records(), name -> {
                        if (name.equals("known:roles")) {
                            throw new IllegalStateException("killed");
                        }
                    }));
            String roles =
                    "SELECT format('%s %s', rolname, rolpassword) FROM pg_authid WHERE rolname IN ('app', 'late')"
                            + " UNION ALL SELECT format('%s in %s', member::regrole, roleid::regrole) FROM pg_auth_members WHERE member::regrole::text = 'late' ORDER BY 1";
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target")) {
                List<String> before = target.texts(roles);
                assertThatThrownBy(() -> new RoleCopier(dying).follow(source, target, Role.TARGET))
                        .hasMessage("killed");
                assertThat(target.texts(roles)).isEqualTo(before).hasSize(1);
                new RoleCopier(pair).follow(source, target, Role.TARGET);
                assertThat(target.texts(roles)).isEqualTo(source.texts(roles)).hasSize(3);
            }
            servers.store.detach(PostgresServers.MIGRATION);
            new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), false, true);
            PostgresMigrationIT.assertNothingLeft(servers);
            assertRoles(servers, "source", "app", "late");
            assertRoles(servers, "target");
        }
    }

    private static void flip(PostgresServers servers, boolean forward, int number) {
        PostgresMigrationIT.awaitStreaming(servers);
        PostgresMigrationIT.flip(servers, forward, number);
    }

    private static void execute(PostgresServers servers, String id, String sql) {
        try (PostgresSession session = servers.own(id)) {
            session.execute(sql);
        }
    }

    private static void assertRoles(PostgresServers servers, String id, String... names) {
        try (PostgresSession session = servers.own(id)) {
            assertThat(
                            session.texts(
                                    "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> current_user ORDER BY 1"))
                    .as(id)
                    .containsExactly(names);
        }
    }

    private static void assertComesIn(PostgresServers servers, String id, String user, String password)
            throws SQLException {
        DriverManager.getConnection(servers.server(id).jdbcUrl(), user, password)
                .close();
    }

    private static void assertRefused(PostgresServers servers, String id, String user, String password) {
        assertThatThrownBy(() -> assertComesIn(servers, id, user, password))
                .as(user)
                .isInstanceOf(SQLException.class);
    }
}
