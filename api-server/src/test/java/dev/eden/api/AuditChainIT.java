package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever is done to the audit log past Eden, the chain shows it. */
class AuditChainIT {
    private static TestServer eden;

    @TempDir
    private Path home;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
        for (int i = 0; i < 6; i++) {
            create("first" + i);
        }
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    private static int create(String id) {
        return eden.post("/api/v1/endpoints", "{\"id\":\"" + id + "\",\"uri\":\"redis://127.0.0.1:1\"}")
                .status();
    }

    @Test
    void appendsAtTheSameTimeMakeOneChain() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Integer>> all = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String id = "together" + i;
                all.add(() -> create(id));
            }
            for (var made : threads.invokeAll(all)) {
                assertThat(made.get()).isEqualTo(201);
            }
        }
        JsonNode verified = verify();
        assertThat(verified.path("intact").asBoolean()).as(verified.toString()).isTrue();
        assertThat(verified.path("entries").asLong()).isGreaterThanOrEqualTo(46);
        assertThat(verified.path("last_id").asLong())
                .isEqualTo(verified.path("entries").asLong());
        assertThat(verified.path("head").asText()).hasSize(64);
        String before = verified.path("head").asText();
        create("one_more");
        assertThat(verify().path("head").asText()).isNotEqualTo(before);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiterString = " | ",
            quoteCharacter = '`',
            value = {
                "changed | UPDATE audit_log SET actor = 'mallory' WHERE position = 3 | 3 | not as it was written",
                "document changed | UPDATE audit_log SET after = after || '{\"host\":\"other\"}' WHERE position = 4 AND after IS NOT NULL | 4 | not as it was written",
                "backdated | UPDATE audit_log SET at = at - interval '1 microsecond' WHERE position = 3 | 3 | not as it was written",
                "deleted | DELETE FROM audit_log WHERE position = 3 | 3 | is missing",
                "first deleted | DELETE FROM audit_log WHERE position = 1 | 1 | is missing",
                "last deleted | DELETE FROM audit_log WHERE position = (SELECT position FROM audit_head) | 0 | cut off",
                "last deleted, end moved | WITH gone AS (DELETE FROM audit_log WHERE position = (SELECT position FROM audit_head)) UPDATE audit_head SET position = position - 1 | 0 | not the end",
                "put in | INSERT INTO audit_log (actor, event, subject) VALUES ('mallory', 'x', 'y') | 0 | past the chain",
                "reordered | UPDATE audit_log a SET position = -b.position, previous = b.previous, hash = b.hash FROM audit_log b WHERE (a.position, b.position) IN ((3, 4), (4, 3)); UPDATE audit_log SET position = -position WHERE position < 0 | 3 | not as it was written",
                "rewritten from there | UPDATE audit_log SET actor = 'mallory' WHERE position = 3; UPDATE audit_log a SET hash = sha256(previous || convert_to(audit_text(a), 'UTF8')) WHERE position = 3 | 4 | does not follow",
            })
    void whatIsDonePastEdenShows(String name, String tampering, long at, String problem) throws SQLException {
        assertThat(verify().path("intact").asBoolean()).isTrue();
        try (Connection connection = DriverManager.getConnection(
                        eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
                Statement sql = connection.createStatement()) {
            // Without triggers: as one who owns the database.
            sql.execute("SET session_replication_role = replica");
            sql.execute("CREATE TEMP TABLE saved AS SELECT * FROM audit_log");
            sql.execute("CREATE TEMP TABLE saved_head AS SELECT * FROM audit_head");
            try {
                sql.execute(tampering);
                FakeTerminal.Result seen = new FakeTerminal(home)
                        .with("EDEN_URL", eden.uri("").toString())
                        .with("EDEN_TOKEN", TestServer.TOKEN)
                        .run("audit", "verify");
                assertThat(seen.code()).as(seen.err()).isEqualTo(8);
                assertThat(seen.out()).contains(problem);
                JsonNode verified = verify();
                assertThat(verified.path("intact").asBoolean()).isFalse();
                assertThat(verified.path("problem").asText()).contains(problem);
                if (at > 0) {
                    assertThat(verified.path("broken_at").asLong()).isEqualTo(at);
                }
            } finally {
                sql.execute("DELETE FROM audit_log");
                sql.execute("INSERT INTO audit_log OVERRIDING SYSTEM VALUE SELECT * FROM saved");
                sql.execute("UPDATE audit_head h SET position = s.position, hash = s.hash FROM saved_head s");
            }
        }
        assertThat(verify().path("intact").asBoolean()).as("put right again").isTrue();
    }

    private static JsonNode verify() {
        return eden.get("/api/v1/audit/verify").json();
    }
}
