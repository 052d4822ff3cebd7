package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What belongs to the database as a whole, between versions that do not know the same. */
class DatabaseDefaultsIT {
    private static final String RIGHTS = """
            SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
            UNION ALL SELECT format('%s %s', a.grantee::regrole, a.privilege_type) FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS a
                WHERE datname = current_database() AND a.privilege_type = 'CREATE' ORDER BY 1""";

    private static final String COMMENT = "SELECT c FROM pg_database AS d, shobj_description(d.oid, 'pg_database') AS c"
            + " WHERE datname = current_database() AND c IS NOT NULL";

    private static final String SETTINGS =
            "SELECT format('%s %s', setrole::regrole, c) FROM pg_db_role_setting, unnest(setconfig) AS c WHERE setrole::regrole::text !~ '^eden_' ORDER BY 1";

    @Test
    void rolesThatComeDuringTheLoadAndLibrariesThatTheTargetLacksDoNotKeepItFromEnding() {
        try (var servers = PostgresServers.start(16, 18)) {
            execute(servers, "source", """
                    CREATE ROLE app LOGIN PASSWORD 'app';
                    CREATE ROLE reader;
                    CREATE TABLE public.t (id int PRIMARY KEY);
                    ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO reader;
                    ALTER ROLE app SET session_preload_libraries = 'adminpack';
                    ALTER DATABASE eden SET session_preload_libraries = 'adminpack';
                    ALTER DATABASE eden SET work_mem = '5MB';
                    COMMENT ON DATABASE eden IS 'the shop''s';""");
            List<String> targetRights;
            try (PostgresSession target = servers.own("target")) {
                targetRights = target.texts(RIGHTS);
            }
            servers.prepare();
            execute(servers, "source", """
                    CREATE ROLE late LOGIN PASSWORD 'late';
                    ALTER DATABASE eden OWNER TO late;
                    GRANT CREATE ON DATABASE eden TO reader;""");
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(texts(servers, "target", RIGHTS))
                        .isEqualTo(texts(servers, "source", RIGHTS))
                        .contains("late", "late CREATE", "reader CREATE");
                assertThat(texts(servers, "target", SETTINGS)).containsExactly("- work_mem=5MB");
                assertThat(texts(servers, "target", COMMENT)).containsExactly("the shop's");
                // Whoever owns a table made by app may still do to it what was not apart on the source.
                assertThat(
                                texts(
                                        servers,
                                        "target",
                                        "SELECT format('%s %s', a.grantee::regrole, a.privilege_type) FROM pg_default_acl, aclexplode(defaclacl) AS a"))
                        .contains("app MAINTAIN", "reader SELECT")
                        .hasSize(9);
                // Eden comes in whatever is to be loaded there.
                try (PostgresSession target = servers.control("target")) {
                    target.execute("ALTER DATABASE eden SET session_preload_libraries = 'nowhere'");
                    target.execute("ALTER DATABASE eden SET local_preload_libraries = 'nowhere'");
                }
                try (PostgresSession target = servers.control("target")) {
                    target.execute("ALTER DATABASE eden RESET session_preload_libraries");
                    target.execute("ALTER DATABASE eden RESET local_preload_libraries");
                }
                assertThat(running.failure.get()).isNull();
            }
            servers.store.detach(PostgresServers.MIGRATION);
            new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), false, false);
            PostgresMigrationIT.assertNothingLeft(servers);
            try (PostgresSession target = servers.own("target")) {
                assertThat(target.texts("SELECT defaclacl::text FROM pg_default_acl"))
                        .isEmpty();
                assertThat(target.texts(SETTINGS)).isEmpty();
                assertThat(target.texts(COMMENT)).isEmpty();
                assertThat(target.texts(RIGHTS)).isEqualTo(targetRights);
            }
        }
    }

    /** A role that only newer servers have. */
    @Test
    void whatIsGrantedToARoleThatTheTargetLacksIsLeftOut() {
        try (var servers = PostgresServers.start(16, 15)) {
            execute(servers, "source", """
                    CREATE ROLE app LOGIN PASSWORD 'app';
                    CREATE TABLE public.t (id int PRIMARY KEY);
                    GRANT CREATE ON DATABASE eden TO pg_create_subscription, app;
                    ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO pg_create_subscription;
                    ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT EXECUTE ON FUNCTIONS TO app;""");
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(texts(servers, "target", RIGHTS)).contains("app CREATE");
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static void execute(PostgresServers servers, String id, String sql) {
        try (PostgresSession session = servers.own(id)) {
            session.execute(sql);
        }
    }

    private static List<String> texts(PostgresServers servers, String id, String sql) {
        try (PostgresSession session = servers.control(id)) {
            return session.texts(sql);
        }
    }
}
