package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.embedded.EmbeddedPostgres;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** After a flip the new owner of writes fails its clients: by itself the migration takes the writes back, with what it saw, and without losing one that was acknowledged. */
class PostgresOwnerIT {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String[] LOGICAL = {
        "wal_level=logical", "max_replication_slots=20", "max_wal_senders=20", "max_logical_replication_workers=12"
    };

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    @AfterEach
    void stop() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1 | {} | none of \\d+ requests succeeded",
                "3 | {\"max_error_rate\": 0.1, \"min_samples\": 50} | max_error_rate: 0\\.\\d+ of \\d+ requests failed",
            })
    void takesTheWritesBack(int every, String gates, String reason) throws Exception {
        TestServer eden = opened(TestServer.startWithRealActivities());
        EmbeddedPostgres source = opened(EmbeddedPostgres.start(
                EmbeddedPostgres.Options.defaults().withVersion(15).withSettings(LOGICAL)));
        EmbeddedPostgres target = opened(
                EmbeddedPostgres.start(EmbeddedPostgres.Options.defaults().withSettings(LOGICAL)));
        prepare(source);
        sent(eden, "/api/v1/endpoints", endpoint("old", source), 201);
        sent(eden, "/api/v1/endpoints", endpoint("new", target), 201);
        sent(eden, "/api/v1/interlays", "{\"id\":\"front\",\"endpoint\":\"old\",\"listen\":\"127.0.0.1:5432\"}", 201);
        EdenProxy proxy = opened(EdenProxy.start(new EdenProxy.Options(
                "p1", "front", new InetSocketAddress("127.0.0.1", 0), 0, "127.0.0.1", 0, Duration.ZERO, eden.store())));
        sent(
                eden,
                "/api/v1/migrations",
                "{\"id\":\"m\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0},\"data\":{\"type\":\"logical\"},"
                        + "\"cutover\":{\"deadline_ms\":3000},\"gates\":" + gates + "}",
                201);
        sent(eden, "/api/v1/migrations/m/interlay/front", "{\"endpoint\":\"new\"}", 200);
        sent(eden, "/api/v1/migrations/m/migrate", null, 202);
        Writers writers = opened(new Writers("jdbc:postgresql://127.0.0.1:" + proxy.port() + "/eden"));
        await("ready")
                .atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(status(eden).path("ready_for_cutover").asBoolean())
                                .as(status(eden).toString())
                                .isTrue());
        sent(eden, "/api/v1/migrations/m/cutover", null, 202);
        await("flipped")
                .atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(status(eden).path("phase").asText()).isEqualTo("baking"));
        writers.awaitMore(200);
        assertThat(writers.refused).isEmpty();
        assertThat(eden.events("m", "gate_breached")).isEmpty();

        run(writers.url, "INSERT INTO fails VALUES (18, " + every + ")");
        await("the breach")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(eden.events("m", "gate_breached"))
                        .singleElement()
                        .satisfies(event ->
                                assertThat(event.path("reason").asText()).containsPattern(reason)));
        await("the source has the writes again")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(status(eden).path("active").asText())
                        .as(status(eden).toString())
                        .isEqualTo("old"));
        writers.awaitMore(200);
        writers.close();
        assertThat(writers.refused).isNotEmpty();
        assertThat(writers.lost).as("connections").isEmpty();
        assertThat(rows(source)).containsExactlyInAnyOrderElementsOf(writers.acknowledged);
    }

    private static JsonNode status(TestServer eden) {
        return eden.get("/api/v1/migrations/m/status").json();
    }

    private static void sent(TestServer eden, String path, @Nullable String body, int expected) {
        TestServer.Answer answer = eden.post(path, body);
        assertThat(answer.status()).as(answer.body()).isEqualTo(expected);
    }

    private static String endpoint(String id, EmbeddedPostgres server) {
        return "{\"id\":\"" + id + "\",\"uri\":\"postgresql://" + server.user() + ":" + server.password()
                + "@127.0.0.1:" + server.port() + "/eden\"}";
    }

    /** Inserts fail where {@code fails} names the version of the server, each, or each so many. */
    private static void prepare(EmbeddedPostgres source) throws SQLException {
        try (Connection direct = DriverManager.getConnection(source.jdbcUrl(), source.user(), source.password());
                Statement statement = direct.createStatement()) {
            statement.execute("""
                    CREATE ROLE app LOGIN PASSWORD 'pencil';
                    CREATE TABLE note (number bigint PRIMARY KEY);
                    CREATE TABLE fails (version int PRIMARY KEY, every int NOT NULL);
                    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
                        IF EXISTS (SELECT FROM public.fails WHERE version = current_setting('server_version_num')::int / 10000 AND NEW.number % every = 0) THEN
                            RAISE EXCEPTION 'the disk is on fire' USING ERRCODE = '58030';
                        END IF;
                        RETURN NEW;
                    END$$;
                    CREATE TRIGGER fail BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION fail();
                    GRANT ALL ON note, fails TO app""");
        }
    }

    private static void run(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, "app", "pencil");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static List<Long> rows(EmbeddedPostgres owner) throws SQLException {
        List<Long> rows = new ArrayList<>();
        try (Connection direct = DriverManager.getConnection(owner.jdbcUrl(), owner.user(), owner.password());
                Statement statement = direct.createStatement();
                ResultSet all = statement.executeQuery("SELECT number FROM note")) {
            while (all.next()) {
                rows.add(all.getLong(1));
            }
        }
        return rows;
    }

    /** Each inserts numbers of its own over one connection, and goes on whatever it is told. */
    private static final class Writers implements AutoCloseable {
        final String url;
        final List<Long> acknowledged = Collections.synchronizedList(new ArrayList<>());
        final List<String> refused = Collections.synchronizedList(new ArrayList<>());
        final List<String> lost = Collections.synchronizedList(new ArrayList<>());
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean closed;

        Writers(String url) {
            this.url = url;
            for (int i = 0; i < 3; i++) {
                long first = i * 1_000_000_000L;
                threads.add(Thread.ofPlatform().daemon().start(() -> write(first)));
            }
        }

        private void write(long first) {
            try (Connection connection = DriverManager.getConnection(url, "app", "pencil");
                    PreparedStatement insert = connection.prepareStatement("INSERT INTO note VALUES (?)")) {
                for (long number = first; !closed; number++) {
                    insert.setLong(1, number);
                    try {
                        insert.executeUpdate();
                        acknowledged.add(number);
                    } catch (SQLException told) {
                        if (connection.isClosed()) {
                            throw told;
                        }
                        refused.add(told.getSQLState());
                    }
                }
            } catch (SQLException e) {
                lost.add(e.getSQLState() + " " + e.getMessage());
            }
        }

        void awaitMore(int writes) {
            int goal = acknowledged.size() + writes;
            await("writers write on").atMost(PATIENCE).until(() -> acknowledged.size() >= goal);
        }

        @Override
        public void close() throws InterruptedException {
            closed = true;
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }
}
