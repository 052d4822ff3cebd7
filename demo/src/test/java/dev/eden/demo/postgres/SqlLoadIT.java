package dev.eden.demo.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.demo.check.Anomaly;
import dev.eden.demo.check.Checker;
import dev.eden.demo.check.JournalCheck;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.history.History;
import dev.eden.demo.history.Journal.ListTransaction;
import dev.eden.demo.history.Outcome;
import dev.eden.demo.load.LoadOptions;
import dev.eden.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The load and the checker against one real PostgreSQL that keeps its promises, and against one that somebody meddles with. */
class SqlLoadIT {
    private static final int ROWS = 2_000;
    private static final String PASSWORD = "secret-of-the-test";

    private final Rows rows = new Rows(ROWS);
    private final History history = new History();
    private final History requests = new History();
    private EmbeddedPostgres postgres;
    private Connection admin;
    private List<KnownErrors.Known> errors;

    @BeforeEach
    void start() throws Exception {
        postgres = EmbeddedPostgres.start();
        admin = DriverManager.getConnection(postgres.jdbcUrl(), postgres.user(), postgres.password());
        AppSchema.makeUser(admin, PASSWORD);
        new AppSchema(rows).make(admin);
        try (Connection direct = logins().open(0, Logins.Style.DEFAULT, "direct")) {
            errors = KnownErrors.learn(direct);
        }
    }

    @AfterEach
    void stop() throws Exception {
        admin.close();
        postgres.close();
    }

    private Logins logins() {
        return new Logins(List.of(postgres.jdbcUrl(), postgres.jdbcUrl()), PASSWORD);
    }

    private interface Meddler {
        void meddle(Statement statement) throws Exception;
    }

    private record Run(Verdict verdict, SqlLoad load) {}

    private Run run(long statements, Meddler during, Meddler afterwards) throws Exception {
        SqlLoad load = SqlLoad.start(logins(), 2, 0, rows, new LoadOptions(16, 3000, 11), errors, history, requests);
        try (load;
                Statement statement = admin.createStatement()) {
            await().atMost(Duration.ofSeconds(60)).until(() -> load.stats().operations() >= statements / 2);
            during.meddle(statement);
            await().atMost(Duration.ofSeconds(60)).until(() -> load.stats().operations() >= statements);
        }
        try (Statement statement = admin.createStatement()) {
            afterwards.meddle(statement);
        }
        FinalRows reader = new FinalRows(rows, history);
        Verdict cells = new Checker(rows, 0).check(history, List.of(reader.cells("the server", admin)));
        Verdict journals = new JournalCheck(Rows.ACCOUNTS, Rows.BALANCE)
                .check(load.journals(), load.heard(), history.sessionOnlyWindows(), FinalRows.journals(admin));
        return new Run(cells.and(journals), load);
    }

    @Test
    void whatIsLeftBehindIsSeen() throws Exception {
        assertThat(LeftBehind.on(admin)).isEmpty();
        try (Statement statement = admin.createStatement()) {
            statement.execute("""
                    CREATE ROLE eden_demo_12345678_link;
                    CREATE SCHEMA eden_demo_12345678;
                    CREATE PUBLICATION eden_demo_12345678 FOR ALL TABLES;
                    CREATE SUBSCRIPTION eden_demo_12345678 CONNECTION 'host=/nowhere' PUBLICATION none WITH (connect = false);
                    """);
        }
        assertThat(LeftBehind.on(admin))
                .hasSize(5)
                .contains(
                        "role eden_demo_12345678_link", "schema eden_demo_12345678", "publication eden_demo_12345678");
    }

    @Test
    void anHonestServerPasses() throws Exception {
        Run run = run(12_000, _ -> {}, _ -> {});

        assertThat(run.verdict.examples()).isEmpty();
        assertThat(run.verdict.clean()).isTrue();
        assertThat(run.load.stats().messages()).isEmpty();
        assertThat(run.verdict.inDoubt()).isZero();
        assertThat(run.verdict.acknowledgedWrites()).isGreaterThan(2_000);
        assertThat(run.load.heard())
                .hasSize(2)
                .allSatisfy(listener -> assertThat(listener.tokens()).hasSizeGreaterThan(20));
        assertThat(run.load.journals())
                .anySatisfy(journal -> assertThat(journal.transactions())
                        .extracting(ListTransaction::outcome)
                        .contains(Outcome.OK));
        assertThat(run.load.journals())
                .anySatisfy(journal -> assertThat(journal.batches()).isNotEmpty());
    }

    @Test
    void connectionsThatEndLeaveTheirLastStatementInDoubtAndNothingElse() throws Exception {
        Run run = run(
                6_000,
                statement -> statement.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'"),
                _ -> {});

        assertThat(run.verdict.examples()).isEmpty();
        assertThat(run.load.stats().disconnects()).isGreaterThan(10);
        assertThat(run.load.stats().errors()).isZero();
    }

    @Test
    void aRowThatGoesIsMissed() throws Exception {
        Run run = run(
                2_000,
                _ -> {},
                statement -> statement.execute("DELETE FROM app.ledger WHERE id = (SELECT min(id) FROM app.ledger)"));

        assertThat(run.verdict.anomalies()).containsOnlyKeys(Anomaly.LOST);
        assertThat(run.verdict.count(Anomaly.LOST)).isEqualTo(1);
    }

    @Test
    void anUpdateThatIsTakenBackIsNoticed() throws Exception {
        Run run = run(4_000, _ -> {}, statement -> {
            statement.execute(
                    "UPDATE app.logs SET v = left(v, -12) WHERE id = (SELECT id FROM app.logs ORDER BY length(v) DESC LIMIT 1)");
            statement.execute(
                    "UPDATE app.serial SET v = v[2:] WHERE id = (SELECT id FROM app.serial ORDER BY cardinality(v) DESC LIMIT 1)");
            statement.execute(
                    "UPDATE app.counters SET n = n - 1 WHERE id = (SELECT id FROM app.counters ORDER BY n - id % 1000 DESC LIMIT 1)");
        });

        assertThat(run.verdict.anomalies()).containsKey(Anomaly.LOST);
        assertThat(run.verdict.examples())
                .anySatisfy(words -> assertThat(words).contains("app.logs"))
                .anySatisfy(words -> assertThat(words).contains("serial list"));
    }

    @Test
    void halfATransferIsNoticedWhileTheLoadRuns() throws Exception {
        Run run = run(
                4_000,
                statement -> statement.execute("UPDATE app.accounts SET balance = balance + 1 WHERE id = 5"),
                _ -> {});

        assertThat(run.verdict.anomalies()).containsOnlyKeys(Anomaly.TORN);
        assertThat(run.verdict.count(Anomaly.TORN)).isGreaterThan(2);
    }

    @Test
    void everyDamagedRowDiffersAndNoOther() throws Exception {
        StillRows still = new StillRows(rows, new AppSchema(rows));
        Map<String, String> before = still.read(admin);
        Map<String, String> schema = StillRows.schema(admin);

        Map<String, String> planted = still.damage(admin, 41);

        assertThat(planted).hasSize(41);
        assertThat(new TreeSet<>(planted.values())).containsExactly("extra", "missing", "null", "value");
        assertThat(StillRows.differing(before, still.read(admin))).isEqualTo(planted.keySet());
        assertThat(StillRows.schema(admin)).isEqualTo(schema).hasSizeGreaterThan(80);
        try (Statement statement = admin.createStatement()) {
            statement.execute("DROP INDEX app.things_by_word");
        }
        assertThat(StillRows.differing(schema, StillRows.schema(admin))).containsExactly("index app.things_by_word");
    }
}
