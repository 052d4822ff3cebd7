package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.CutoverEngine.Others;
import dev.eden.activities.cutover.CutoverEngine.Side;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.store.RouteLedger.JoinedProxy;
import dev.eden.proxy.WireVersion;
import dev.eden.workflows.MigrationSpec;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** The steps of a cutover that concern who may be inside a server, one by one, with applications at the doors. */
class PostgresFenceIT {
    private static final Duration GUARD = Duration.ofSeconds(10);

    private static PostgresServers servers;
    private static PostgresServers.Running replication;

    @BeforeAll
    static void replicate() {
        servers = PostgresServers.start(15, 18);
        PostgresMigrationIT.schema(servers);
        servers.prepare();
        replication = servers.replicate();
        PostgresMigrationIT.awaitStreaming(servers);
    }

    @AfterAll
    static void close() {
        replication.close();
        servers.close();
    }

    @Test
    void whatIsTriedAheadOfTheHoldChangesNothing() throws SQLException {
        List<String> source = doors("source");
        List<String> target = doors("target");
        try (CutoverEngine.Session session = open();
                Connection inside = servers.application("source")) {
            session.undo();
            session.rehearse();
            session.approach();
            assertThat(doors("source")).isEqualTo(source);
            assertThat(doors("target")).isEqualTo(target);
            assertThat(session.fenced(Side.FROM)).isFalse();
            assertThat(session.fenced(Side.TO)).isTrue();
            write(inside);
            servers.application("source").close();
        }
    }

    @Test
    void doorsAreShutWhileWhoIsInsideWorksOnUntilTheFence() throws SQLException {
        List<String> before = doors("source");
        String undo;
        try (CutoverEngine.Session session = open()) {
            try (Connection inside = servers.application("source")) {
                inside.setAutoCommit(false);
                write(inside);
                undo = session.undo();
                session.beginFence();
                assertNobodyComesIn();
                write(inside);
                inside.commit();
                session.fence(GUARD);
                assertThatThrownBy(() -> write(inside)).isInstanceOf(SQLException.class);
            }
            assertNobodyComesIn();
        }
        restore(undo);
        assertThat(doors("source")).isEqualTo(before);
        servers.application("source").close();
    }

    /** Somebody with the right to do so lets others in again while clients drain: the fence finds them and shuts once more. */
    @Test
    void doorsThatAreOpenedAgainWhileClientsDrainAreShutByTheFence() throws SQLException {
        List<String> before = doors("source");
        String undo;
        try (CutoverEngine.Session session = open();
                PostgresSession owner = servers.own("source")) {
            undo = session.undo();
            session.beginFence();
            owner.execute("GRANT CONNECT ON DATABASE eden TO app");
            try (Connection late = servers.application("source")) {
                write(late);
                session.fence(GUARD);
                assertThatThrownBy(() -> write(late)).isInstanceOf(SQLException.class);
            }
            assertNobodyComesIn();
            assertThat(session.fenced(Side.FROM)).isTrue();
        }
        restore(undo);
        assertThat(doors("source")).isEqualTo(before);
    }

    /** What is prepared after the look for blockers would stay behind: its COMMIT PREPARED goes to the new owner. */
    @Test
    void aTransactionPreparedOnTheWayIsFoundByTheFence() throws SQLException {
        String undo;
        try (CutoverEngine.Session session = open();
                Connection inside = servers.application("source")) {
            assertThat(session.blockers(PostgresServers.spec())).isEmpty();
            undo = session.undo();
            try (var statement = inside.createStatement()) {
                statement.execute("BEGIN");
                write(inside);
                session.beginFence();
                statement.execute("PREPARE TRANSACTION 'late'");
            }
            assertThatThrownBy(() -> session.fence(GUARD)).hasMessageContaining("source: late");
        }
        restore(undo);
        try (PostgresSession source = servers.own("source")) {
            source.execute("COMMIT PREPARED 'late'");
        }
    }

    /** It would keep its locks there, in the way of what is applied. */
    @Test
    void aTransactionPreparedOnTheStandbyIsABlocker() {
        try (PostgresSession target = servers.control("target");
                CutoverEngine.Session session = open()) {
            target.execute("BEGIN");
            target.execute("LOCK TABLE shop.keyless IN ACCESS SHARE MODE");
            target.execute("PREPARE TRANSACTION 'forgotten'");
            assertThat(session.blockers(PostgresServers.spec()))
                    .containsExactly("a prepared transaction is open on target: forgotten");
            target.execute("ROLLBACK PREPARED 'forgotten'");
            assertThat(session.blockers(PostgresServers.spec())).isEmpty();
        }
    }

    /** Within a second no budget is in danger; a longer one lets transactions end in the time that clients may wait for them. */
    @Test
    void aTransactionStandsInTheWayWhereItIsOlderThanTheBudget() throws SQLException {
        CutoverCoordinator coordinator = PostgresMigrationIT.coordinator(servers);
        MigrationSpec patient = PostgresServers.spec();
        MigrationSpec hurried = PostgresServers.spec(null, 100);
        try (Connection inside = servers.application("source")) {
            inside.setAutoCommit(false);
            write(inside);
            await().atMost(GUARD)
                    .untilAsserted(() -> assertThat(coordinator.readiness(hurried, true))
                            .singleElement()
                            .asString()
                            .startsWith("a transaction has been open on source for 1 s"));
            assertThat(coordinator.readiness(patient, true)).isEmpty();
            inside.rollback();
        }
    }

    @Test
    void anAttemptThatClientsDoNotLetBeginSaysWhichTransactionsAreOpen() throws SQLException {
        CutoverCoordinator coordinator = PostgresMigrationIT.coordinator(servers);
        servers.store.silent = List.of(new JoinedProxy("p1", "front", true, WireVersion.NEWEST));
        try (Connection inside = servers.application("source")) {
            inside.setAutoCommit(false);
            write(inside);
            AttemptReport report = coordinator.attempt(PostgresServers.spec(null, 2_000), true, 1);
            assertThat(report.outcome()).isEqualTo("aborted");
            assertThat(report.blockers())
                    .singleElement()
                    .asString()
                    .contains("no answer (DRAINED) from p1/front")
                    .containsPattern("a transaction has been open on source for \\d+ s \\(process \\d+, user app");
            inside.rollback();
        } finally {
            servers.store.silent = List.of();
        }
    }

    /** Nobody else could make them: the standby's fence keeps everybody out. */
    @Test
    void loginsThatCameOrChangedSincePreparationFollowBeforeTheCutover() {
        String roles = """
                SELECT format('%s %s %s %s %s', rolname, rolpassword, coalesce(rolvaliduntil, 'infinity'), rolcanlogin, ARRAY(SELECT roleid::regrole::text FROM pg_auth_members
                    WHERE member = r.oid ORDER BY 1)) FROM pg_authid r WHERE rolname IN ('app', 'late', 'grouped') ORDER BY 1""";
        try (CutoverEngine.Session session = open();
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.control("target");
                PostgresSession other = servers.control("target")) {
            source.execute("CREATE ROLE grouped");
            source.execute("CREATE ROLE late LOGIN PASSWORD 'late' IN ROLE grouped, readers");
            source.execute("ALTER ROLE app PASSWORD 'another' VALID UNTIL '2100-01-01'");
            assertThat(session.blockers(PostgresServers.spec())).isEmpty();
            // As somebody who changes roles in another database, and takes long.
            other.execute("BEGIN");
            other.execute("LOCK TABLE pg_catalog.pg_authid IN ROW EXCLUSIVE MODE");
            assertThat(session.followLogins())
                    .singleElement()
                    .asString()
                    .startsWith("logins that came to source since they were copied")
                    .contains("cannot be made the same on target: ", "55P03");
            other.execute("ROLLBACK");
            assertThat(target.texts(roles)).hasSize(1);
            assertThat(session.followLogins()).isEmpty();
            assertThat(session.followLogins()).isEmpty();
            assertThat(target.texts(roles)).isEqualTo(source.texts(roles)).hasSize(3);
            assertThat(session.fenced(Side.TO)).isTrue();
            source.execute("ALTER ROLE app PASSWORD 'app' VALID UNTIL 'infinity'");
            assertThat(session.followLogins()).isEmpty();
            assertThat(target.texts(roles)).isEqualTo(source.texts(roles));
            for (String role : List.of("late", "grouped")) {
                source.execute("DROP ROLE " + role);
                target.execute("DROP ROLE " + role);
            }
        }
    }

    /** By a rehearsal, which goes the same way and leaves authority where it is. */
    @Test
    void whereTheyMayBeEndedOpenTransactionsAreBeforeTheDeadline() throws SQLException {
        MigrationSpec.CutoverBudget budget =
                new MigrationSpec.CutoverBudget(3_000, 1, MigrationSpec.CutoverBudget.CANCEL);
        try (Connection inside = servers.application("source");
                PostgresSession source = servers.control("source")) {
            inside.setAutoCommit(false);
            write(inside);
            int pid = inside.unwrap(PGConnection.class).getBackendPID();
            await().atMost(GUARD)
                    .until(() ->
                            source.is("SELECT now() - xact_start > '1 s' FROM pg_stat_activity WHERE pid = ?", pid));
            servers.store.silent = List.of(new JoinedProxy("p1", "front", true, WireVersion.NEWEST));
            servers.store.rested = () -> !source.is("SELECT true FROM pg_stat_activity WHERE pid = ?", pid);
            AttemptReport report =
                    PostgresMigrationIT.coordinator(servers).rehearse(PostgresServers.spec(null, budget));
            assertThat(report.outcome()).as("%s", report).isEqualTo("rehearsed");
            assertThat(report.ended()).singleElement().asString().startsWith("process " + pid + ", user app");
            assertThatThrownBy(() -> write(inside)).isInstanceOf(SQLException.class);
        } finally {
            servers.store.silent = List.of();
            servers.store.rested = () -> false;
        }
    }

    /** A stalled process may not act on a server after its attempt has ended. */
    @Test
    void whoSettlesEndsTheSessionsOfEarlierAttempts() throws SQLException {
        try (CutoverEngine.Session stalled = open()) {
            String undo = stalled.undo();
            stalled.beginFence();
            restore(undo);
            assertThatThrownBy(() -> stalled.fence(GUARD)).isInstanceOf(PostgresConnectionException.class);
            servers.application("source").close();
        }
    }

    /** Somebody who grants in another database, and takes long. */
    @Test
    void whoChangesTheSameRightsKeepsNoClientWaiting() throws SQLException {
        List<String> before = doors("source");
        try (PostgresSession other = servers.own("source", "postgres")) {
            other.execute("BEGIN");
            other.execute("GRANT CONNECT ON DATABASE eden TO app");
            String undo;
            try (CutoverEngine.Session session = open()) {
                undo = session.undo();
                assertThatThrownBy(session::approach)
                        .hasMessageStartingWith("who may connect to source cannot be changed")
                        .hasMessageContaining("in database postgres, user " + servers.source.user());
                assertThatThrownBy(session::beginFence).hasMessageContaining("lock timeout");
            }
            // Nothing was shut, so nothing is waited for.
            restore(undo);
            servers.application("source").close();
            other.execute("ROLLBACK");
        }
        assertThat(doors("source")).isEqualTo(before);
    }

    /** One that speaks the replication protocol writes as any other does. */
    @Test
    void whoCameForReplicationIsFencedToo() {
        String undo;
        try (CutoverEngine.Session session = open();
                PostgresSession streaming = PostgresSession.connectForReplication(
                        servers.endpoint("source"), servers.endpoint("source").login(), "stream")) {
            undo = session.undo();
            streaming.execute("UPDATE shop.accounts SET balance = balance WHERE id = 1");
            session.fence(GUARD);
            assertThatThrownBy(() -> streaming.execute("UPDATE shop.accounts SET balance = balance WHERE id = 1"))
                    .isInstanceOf(PostgresConnectionException.class);
        }
        restore(undo);
    }

    /** It would fence a side that owns writes by then. */
    @Test
    void whoLookedBeforeTheAttemptWasArmedActsNoMore() {
        try (CutoverEngine.Session session = open();
                CutoverEngine.Session late =
                        engine().open(PostgresServers.MIGRATION, "source", "target", Others.LEAVE)) {
            assertThat(late.fenced(Side.TO)).isTrue();
            session.approach();
            assertThatThrownBy(late::fenceStandby).isInstanceOf(PostgresConnectionException.class);
            assertThat(session.fenced(Side.TO)).isTrue();
        }
    }

    /** As a superuser whose login had gone halfway when the doors were shut, and went on after the fence. */
    @Test
    void nothingTurnsWhileSomebodyIsInsideAfterAll() throws SQLException {
        String undo;
        try (CutoverEngine.Session session = open();
                PostgresSession eden = servers.control("source")) {
            undo = session.undo();
            session.fence(GUARD);
            eden.execute("GRANT CONNECT ON DATABASE eden TO app");
            try (Connection late = servers.application("source")) {
                eden.execute("REVOKE CONNECT ON DATABASE eden FROM app");
                session.awaitApplied(session.position(), GUARD);
                write(late);
                assertThatThrownBy(session::turn).hasMessageContaining("come in to source behind the fence");
            }
        }
        restore(undo);
    }

    /** Only whoever asked for it knows whether it came to anything; the side that adds it would not publish it after a flip. */
    @Test
    void nothingIsCutOverOverAChangeThatTheStandbyTookAMomentAgo() {
        String carried = EdenObjects.of(PostgresServers.MIGRATION).carried();
        String undo;
        try (CutoverEngine.Session session = open();
                PostgresSession target = servers.control("target")) {
            undo = session.undo();
            session.fence(GUARD);
            target.execute("INSERT INTO " + carried + " (pid, began, name, undo) VALUES (1, now(), 'shop.events', '')");
            CutoverEngine.Session fenced = session;
            assertThatThrownBy(() -> fenced.awaitApplied(fenced.position(), GUARD))
                    .hasMessageContaining("a change of the schema of shop.events is not settled yet");
            target.execute("DELETE FROM " + carried);
        }
        restore(undo);
    }

    private static CutoverEngine.Session open() {
        return engine().open(PostgresServers.MIGRATION, "source", "target", Others.END);
    }

    private static PostgresCutover engine() {
        return new PostgresCutover(servers, servers.records);
    }

    private static void restore(String undo) {
        PostgresCutover engine = engine();
        try (CutoverEngine.ActiveSide owner =
                engine.openActive(PostgresServers.MIGRATION, "source", "target", Others.END)) {
            owner.restore(undo);
        }
        try (CutoverEngine.Session session = engine.open(PostgresServers.MIGRATION, "source", "target", Others.LEAVE)) {
            session.finishRestore();
        }
    }

    private static void write(Connection application) throws SQLException {
        try (var statement = application.createStatement()) {
            statement.executeUpdate("UPDATE shop.accounts SET balance = balance WHERE id = 1");
        }
    }

    private static void assertNobodyComesIn() {
        assertThatThrownBy(() -> servers.application("source")).hasMessageContaining("permission denied for database");
    }

    /** Who may connect, who may log in, and whether replication may apply. */
    private static List<String> doors(String id) {
        try (PostgresSession session = servers.control(id)) {
            return session.texts("""
                    SELECT a.grantee::regrole::text || ' ' || a.privilege_type FROM pg_database d CROSS JOIN LATERAL
                        aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a WHERE d.datname = current_database()
                    UNION ALL SELECT rolname || ' ' || rolcanlogin FROM pg_roles
                    UNION ALL SELECT subname || ' ' || subenabled FROM pg_subscription ORDER BY 1""");
        }
    }
}
