package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.ServerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docker-compose.yml's profile postgres fills its source with, and its load, on a real server: both are run as they stand there. */
class OrdersIT {
    private static final Path FILL = Project.ROOT.resolve("infra/compose/initdb.d/orders.sh");

    @Test
    void theSourceIsFilledAndTheLoadWritesAsAnApplication(@TempDir Path directory) throws Exception {
        for (String program : List.of("psql", "pgbench")) {
            assumeTrue(
                    Project.installed(program),
                    program + " (Debian: postgresql) is not here: the profile's scripts are not run");
        }
        assertThat(Files.isExecutable(FILL)).isTrue();
        Map<String, Object> services = Project.map(Project.yaml("docker-compose.yml"), "services");
        Map<String, Object> load = Project.map(services, "postgres-load");
        List<String> command =
                Project.list(load, "command").stream().map(String::valueOf).toList();
        try (EmbeddedPostgres postgres =
                EmbeddedPostgres.start(EmbeddedPostgres.Options.defaults().withSettings("wal_level=logical"))) {
            Jdbi.create(postgres.jdbcUrl(), postgres.user(), postgres.password())
                    .useHandle(handle -> handle.execute("CREATE DATABASE orders"));
            Map<String, String> there = Map.of(
                    "PGHOST",
                    postgres.host(),
                    "PGPORT",
                    String.valueOf(postgres.port()),
                    "PGPASSWORD",
                    postgres.password(),
                    "POSTGRES_USER",
                    postgres.user(),
                    "POSTGRES_DB",
                    "orders",
                    "POSTGRES_PASSWORD",
                    postgres.password());
            try (ServerProcess fill = started(directory, "fill", List.of(FILL.toString()), there)) {
                assertThat(fill.awaitExit(Duration.ofMinutes(3))).isTrue();
                assertThat(fill.exitCode()).as(Files.readString(fill.log())).isZero();
            }
            Jdbi application = Jdbi.create(postgres.jdbcUrl("orders"), "app", postgres.password());
            assertThat(number(application, "SELECT count(*) FROM pgbench_accounts"))
                    .isEqualTo(1_000_000);
            assertThat(number(
                            application,
                            "SELECT count(*) FROM pg_class c WHERE relname LIKE 'pgbench%' AND relkind = 'r' AND NOT EXISTS"
                                    + " (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)"))
                    .as("tables without a key")
                    .isZero();

            Map<String, String> environment = new HashMap<>(there);
            Project.map(load, "environment").forEach((name, value) -> {
                if (!name.matches("PGHOST|PGPASSWORD")) {
                    environment.put(name, String.valueOf(value));
                }
            });
            try (ServerProcess running = started(directory, "load", command, environment)) {
                await().atMost(Duration.ofSeconds(30))
                        .untilAsserted(() -> assertThat(number(application, "SELECT count(*) FROM pgbench_history"))
                                .as(Files.readString(running.log()))
                                .isGreaterThan(100));
            }
        }
    }

    private static ServerProcess started(
            Path directory, String name, List<String> command, Map<String, String> environment) {
        return ServerProcess.start(
                new ServerProcess.Spec(name, command, directory, environment, directory.resolve(name + ".log")));
    }

    private static long number(Jdbi database, String query) {
        return database.withHandle(
                handle -> handle.createQuery(query).mapTo(Long.class).one());
    }
}
