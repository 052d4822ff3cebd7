package dev.eden.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddedPostgresIT {
    @Test
    void isADurableServerOfTheExpectedVersion() throws Exception {
        try (var postgres = EmbeddedPostgres.start();
                Connection connection = connect(postgres)) {
            assertThat(value(connection, "show fsync")).isEqualTo("on");
            assertThat(value(connection, "show full_page_writes")).isEqualTo("on");
            assertThat(value(connection, "show synchronous_commit")).isEqualTo("on");
            assertThat(value(connection, "show max_connections")).isEqualTo("300");
            assertThat(value(connection, "show server_version")).startsWith("18.");
            assertThat(value(connection, "show server_encoding")).isEqualTo("UTF8");
            assertThat(value(connection, "select current_database()")).isEqualTo("eden");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17})
    void olderVersionsComeOnRequest(int major) throws Exception {
        var options = EmbeddedPostgres.Options.defaults().withVersion(major).withSettings("wal_level=logical");
        try (var postgres = EmbeddedPostgres.start(options);
                Connection connection = connect(postgres)) {
            assertThat(value(connection, "show server_version")).startsWith(major + ".");
            assertThat(value(connection, "show server_encoding")).isEqualTo("UTF8");
            assertThat(value(connection, "show wal_level")).isEqualTo("logical");
        }
    }

    @Test
    void wantsThePassword() {
        try (var postgres = EmbeddedPostgres.start()) {
            assertThatThrownBy(() -> DriverManager.getConnection(postgres.jdbcUrl(), postgres.user(), "wrong"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
        }
    }

    @Test
    void keepsCommittedRowsOverAKill() throws Exception {
        try (var postgres = EmbeddedPostgres.start()) {
            try (Connection connection = connect(postgres)) {
                execute(connection, "create table t (n int)");
                execute(connection, "insert into t values (1), (2)");
                postgres.kill();
            }
            assertThat(postgres.isAlive()).isFalse();
            postgres.restart();
            try (Connection connection = connect(postgres)) {
                assertThat(value(connection, "select count(*) from t")).isEqualTo("2");
            }
        }
    }

    @Test
    void opensANamedDirectoryAgain(@TempDir Path dir) throws Exception {
        var options = EmbeddedPostgres.Options.defaults().withDataDir(dir.resolve("data"));
        try (var postgres = EmbeddedPostgres.start(options);
                Connection connection = connect(postgres)) {
            execute(connection, "create table t (n int)");
        }
        try (var postgres = EmbeddedPostgres.start(options.withSettings("wal_level=logical"));
                Connection connection = connect(postgres)) {
            assertThat(value(connection, "select count(*) from t")).isEqualTo("0");
            assertThat(value(connection, "show wal_level")).isEqualTo("logical");
        }
    }

    @Test
    void suspendedBackendsAnswerNothingUntilResumed() throws Exception {
        try (var postgres = EmbeddedPostgres.start();
                Connection connection = connect(postgres)) {
            postgres.suspend();
            try {
                connection.setNetworkTimeout(Runnable::run, 500);
                assertThatThrownBy(() -> value(connection, "select 1")).isInstanceOf(SQLException.class);
            } finally {
                postgres.resume();
            }
            try (Connection fresh = connect(postgres)) {
                assertThat(value(fresh, "select 1")).isEqualTo("1");
            }
        }
    }

    @Test
    void closingRemovesEverything() throws Exception {
        var postgres = EmbeddedPostgres.start();
        List<ProcessHandle> all =
                ProcessHandle.of(postgres.pid()).orElseThrow().descendants().toList();
        assertThat(all).isNotEmpty();
        String sharedMemory = Files.readAllLines(postgres.dataDir().resolve("postmaster.pid"))
                .get(6)
                .strip()
                .split(" +")[1];
        assertThat(segments()).contains(sharedMemory);
        postgres.suspend();
        postgres.close();
        assertThat(segments()).doesNotContain(sharedMemory);
        await().untilAsserted(() -> assertThat(all).noneMatch(ProcessHandle::isAlive));
        assertThat(postgres.dataDir().getParent()).doesNotExist();
    }

    /** The system's: proc(5), {@code /proc/sysvipc}. */
    private static List<String> segments() throws IOException {
        return Files.readAllLines(Path.of("/proc/sysvipc/shm")).stream()
                .map(line -> line.strip().split(" +")[1])
                .toList();
    }

    @Test
    void diesWithAKilledLauncherEvenSuspended(@TempDir Path dir) throws Exception {
        try (var launcher = Launched.start("EmbeddedPostgres.suspended", dir.resolve("launcher.log"))) {
            ProcessHandle server = ProcessHandle.of(launcher.serverPid()).orElseThrow();
            List<ProcessHandle> all = server.descendants().toList();
            assertThat(all).isNotEmpty();
            Signal.KILL.send(launcher.process().pid());
            await().untilAsserted(() -> assertThat(server.isAlive()).isFalse());
            await().untilAsserted(() -> assertThat(all).noneMatch(ProcessHandle::isAlive));
            await().untilAsserted(() -> assertThat(launcher.directory()).doesNotExist());
        }
    }

    private static Connection connect(EmbeddedPostgres postgres) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", postgres.user());
        properties.setProperty("password", postgres.password());
        return DriverManager.getConnection(postgres.jdbcUrl(), properties);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
