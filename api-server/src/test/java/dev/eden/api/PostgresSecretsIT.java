package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * As {@link SecretsIT}, of a PostgreSQL, which has more to tell: verifiers of roles that are copied, passwords that Eden makes for its own roles, and
 * connection strings of subscriptions.
 */
@Isolated("reads all that is logged in this JVM")
class PostgresSecretsIT {
    private static final String ID = "secretive";
    private static final String SOURCE = "canary-of-the-source-77130";
    private static final String TARGET = "canary-of-the-target-58211";
    private static final String APPLICATION = "canary-of-the-application-90415";
    private static final String CONFIGURED = "canary-of-a-configured-user-20417";
    private static final String MISTAKEN = "canary-of-a-typing-error-33602";
    private static final String VALUE = "canary-in-a-value-61288";
    private static final String[] LOGICAL = {
        "wal_level=logical", "max_replication_slots=20", "max_wal_senders=20", "max_logical_replication_workers=12"
    };
    /** SCRAM-SHA-256$4096:salt$stored:server */
    private static final Pattern VERIFIER =
            Pattern.compile("SCRAM-SHA-256\\$\\d+:[A-Za-z0-9+/=]+\\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)");

    /** In a connection string. */
    private static final Pattern PASSWORD = Pattern.compile("password='?([A-Za-z0-9+/=_-]{12,})");

    /** Of roles, on both servers. */
    private final Set<String> verifiers = new LinkedHashSet<>();

    /** That subscriptions log in with. */
    private final Set<String> passwords = new LinkedHashSet<>();

    @TempDir
    Path folder;

    @Test
    void noSecretIsWhereItDoesNotBelong() throws Exception {
        try (ListenedEden eden =
                        ListenedEden.start(ServerOptions.Front.postgres(new InetSocketAddress("127.0.0.1", 0)));
                EmbeddedPostgres source = EmbeddedPostgres.start(at("source"));
                EmbeddedPostgres target = EmbeddedPostgres.start(at("target"))) {
            prepare(source, target);
            migrate(eden, source, target);
            assertThat(verifiers)
                    .as("of the logins given, the application's and Eden's own roles")
                    .hasSizeGreaterThan(8);
            assertThat(passwords).as("one each way").hasSizeGreaterThan(1);
            List<String> secrets = new ArrayList<>(eden.ownSecrets());
            secrets.addAll(List.of(SOURCE, TARGET, APPLICATION, CONFIGURED, MISTAKEN, VALUE));
            secrets.addAll(List.of(source.password(), target.password()));
            secrets.addAll(verifiers);
            secrets.addAll(passwords);
            assertThat(eden.places(ID).leaks(secrets)).isEmpty();
        }
    }

    private EmbeddedPostgres.Options at(String server) {
        return EmbeddedPostgres.Options.defaults()
                .withSettings(LOGICAL)
                .withDataDir(folder.resolve(server).resolve("data"));
    }

    private void migrate(ListenedEden eden, EmbeddedPostgres source, EmbeddedPostgres target) throws Exception {
        eden.post("/endpoints", endpoint("old", SOURCE, source), 201);
        eden.post("/endpoints", endpoint("new", TARGET, target), 201);
        eden.post("/endpoints", endpoint("wrong", MISTAKEN, source), 201);
        eden.post("/endpoints/wrong/check", null, 0);
        eden.post(
                "/endpoints", "{\"id\":\"typo\",\"uri\":\"postgresql://u:" + MISTAKEN + "@127.0.0.1:port/eden\"}", 422);
        eden.post(
                "/migrations",
                "{\"id\":\"" + ID + "\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.2},"
                        + "\"failure_handling\":\"needs_operator\",\"cutover\":{\"deadline_ms\":3000},"
                        + "\"gates\":{\"max_lag_ms\":2000}}",
                201);
        eden.follow(ID);
        eden.post("/migrations/" + ID + "/interlay/postgres_interlay", "{\"endpoint\":\"new\"}", 200);
        String users = "/interlays/postgres_interlay/users";
        eden.send("PUT", users + "/kept", "{\"password\":\"" + MISTAKEN + "\",\"nama\":1}", 422);
        eden.send("PUT", users + "/kept", "{\"password\":\"" + CONFIGURED + "\"}", 200);
        eden.send("GET", users, null, 200);
        assertThat(eden.send("GET", "/migrations/" + ID + "/plan", null, 200).toString())
                .as("whose verifiers differ")
                .doesNotContain("kept");
        try (Connection application = through(eden.ports().getFirst(), APPLICATION);
                Connection beside = through(eden.ports().getLast(), APPLICATION);
                Connection kept = through(eden.ports().getFirst(), "kept", CONFIGURED);
                Connection keptBeside = through(eden.ports().getLast(), "kept", CONFIGURED)) {
            refused(eden);
            eden.post("/migrations/" + ID + "/migrate", null, 202);
            eden.awaitPhase(ID, "canary");
            for (String[] step :
                    new String[][] {{"cutover", "baking"}, {"rollback", "canary"}, {"cutover", "baking"}}) {
                eden.post("/migrations/" + ID + "/" + step[0], "{\"reason\":\"test\"}", 202);
                eden.awaitPhase(ID, step[1]);
                refused(eden);
                for (Connection client : List.of(application, beside)) {
                    write(client, step[0]);
                }
                for (Connection client : List.of(kept, keptBeside)) {
                    assertThat(user(client)).as("where its verifier is another").isEqualTo("kept");
                }
            }
            look(folder.resolve("source/data"));
            look(folder.resolve("target/data"));
            eden.post("/migrations/" + ID + "/finalize", null, 202);
            eden.awaitPhase(ID, "completed");
            write(application, "end");
        }
        eden.send("DELETE", users + "/kept", null, 204);
        eden.readEverything(ID, "old", "new");
    }

    private static String user(Connection client) throws SQLException {
        try (Statement statement = client.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_user")) {
            row.next();
            return row.getString(1);
        }
    }

    /** A client that mistypes its password is refused by the server, through the proxy. */
    private static void refused(ListenedEden eden) {
        for (int port : eden.ports()) {
            assertThatThrownBy(() -> through(port, MISTAKEN)).isInstanceOf(SQLException.class);
        }
    }

    /** Fails once, too: an error of the server holds the row. */
    private static void write(Connection client, String note) throws SQLException {
        try (Statement statement = client.createStatement()) {
            statement.execute("INSERT INTO note (text) VALUES ('" + VALUE + note + System.nanoTime() + "')");
            assertThatThrownBy(() -> statement.execute("INSERT INTO note (text) VALUES ('" + VALUE + "')"))
                    .hasMessageContaining("duplicate key");
        }
    }

    /** Nobody else can log in to the standby: its log is read as it lies on the disk. */
    private void look(Path folder) throws IOException {
        List<Path> segments;
        try (Stream<Path> files = Files.list(folder.resolve("pg_wal"))) {
            segments = files.filter(file -> file.getFileName().toString().matches("[0-9A-F]{24}"))
                    .toList();
        }
        for (Path segment : segments) {
            String log = Files.readString(segment, StandardCharsets.ISO_8859_1);
            VERIFIER.matcher(log).results().forEach(found -> verifiers.addAll(List.of(found.group(1), found.group(2))));
            PASSWORD.matcher(log).results().forEach(found -> passwords.add(found.group(1)));
        }
    }

    private static void prepare(EmbeddedPostgres source, EmbeddedPostgres target) throws SQLException {
        run(
                source,
                "CREATE ROLE mover SUPERUSER LOGIN PASSWORD '" + SOURCE + "'",
                "CREATE ROLE app LOGIN PASSWORD '" + APPLICATION + "'",
                "CREATE ROLE kept LOGIN PASSWORD '" + CONFIGURED + "'",
                "CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text UNIQUE)",
                "ALTER TABLE note OWNER TO app",
                "INSERT INTO note (text) SELECT '" + VALUE + "' || n FROM generate_series(1, 500) n",
                "INSERT INTO note (text) VALUES ('" + VALUE + "')");
        run(
                target,
                "CREATE ROLE mover SUPERUSER LOGIN PASSWORD '" + TARGET + "'",
                "CREATE ROLE kept LOGIN PASSWORD '" + CONFIGURED + "'");
    }

    private static void run(EmbeddedPostgres server, String... statements) throws SQLException {
        try (Connection direct = DriverManager.getConnection(server.jdbcUrl(), server.user(), server.password());
                Statement statement = direct.createStatement()) {
            for (String one : statements) {
                statement.execute(one);
            }
        }
    }

    private static Connection through(int port, String password) throws SQLException {
        return through(port, "app", password);
    }

    private static Connection through(int port, String user, String password) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/eden", user, password);
    }

    private static String endpoint(String id, String password, EmbeddedPostgres server) {
        return "{\"id\":\"" + id + "\",\"uri\":\"postgresql://mover:" + password + "@127.0.0.1:" + server.port()
                + "/eden\"}";
    }
}
