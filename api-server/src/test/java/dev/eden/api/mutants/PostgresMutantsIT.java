package dev.eden.api.mutants;

import static dev.eden.api.mutants.Rules.committed;
import static dev.eden.api.mutants.Rules.isCaught;
import static dev.eden.api.mutants.Rules.isCaughtAtClients;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.replication.Appliers;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Acknowledgement;
import dev.eden.activities.store.RouteLedger.Position;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.Database;
import dev.eden.demo.check.Anomaly;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Route;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.Secret;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * As {@link MutantsIT}, of a PostgreSQL: each rule of the protocol is taken out once, in a situation where it matters, and the demo's checker has to
 * notice; with the rule the same situation is clean. One by default, all with {@code -Deden.mutants=all} (some minutes).
 *
 * <p>An applier that is stopped between reading and writing can't be passed by another one, a subscription has one worker: there the wait for it is what is taken
 * out, and that it is taken away at the turn is a case of its own.
 *
 * <p>The race with an expiry has no counterpart here: nothing in a PostgreSQL goes away by the clock, rows end by statements only, which replication carries in
 * their order.
 */
@Tag("alone")
class PostgresMutantsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static EmbeddedPostgres postgres;
    private static Database database;
    private static StoreChanges changes;

    @BeforeAll
    static void start() {
        postgres = EmbeddedPostgres.start();
        database = Database.open(
                Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())));
        Properties properties = new Properties();
        properties.setProperty("user", postgres.user());
        properties.setProperty("password", postgres.password());
        changes = new StoreChanges(postgres.jdbcUrl(), properties);
    }

    @AfterAll
    static void stop() {
        changes.close();
        database.close();
        postgres.close();
    }

    private static PostgresWorld world(PostgresWorld.Ports ports) throws Exception {
        PostgresWorld world = new PostgresWorld(database, changes, ports);
        world.startLoad();
        world.awaitLoad(300);
        return world;
    }

    /** Eden's own comparison before the turn, the second belt, would meet most mutants first: it goes with the rule. */
    private static @Nullable Object blind(boolean mutant, String method, Intercept.Real real) throws Throwable {
        return mutant && method.equals("verify") ? List.of() : real.call();
    }

    // ---- no wait for old writers

    @Test
    void noWaitForOldWriters() throws Exception {
        isCaught(
                "no wait for old writers",
                this::oldWriters,
                Anomaly.LOST,
                Anomaly.STALE,
                Anomaly.DUPLICATED,
                Anomaly.CYCLE);
    }

    /** Whoever has a session on the source may go on behind the fence, as if the proxies had named it. */
    private Judgement oldWriters(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.strangers = true;
        ports.coordinatorEngine = (world, engine) -> Intercept.sessions(engine, (session, method, _, real) -> {
            if (!method.equals("resting") || !mutant) {
                return blind(mutant, method, real);
            }
            try (PostgresSession source = world.control("source")) {
                session.resting(new HashSet<>(source.query(
                        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'",
                        row -> row.getInt(1))));
            }
            return null;
        });
        try (PostgresWorld world = world(ports)) {
            committed(world.attempt(true));
            world.awaitLoad(300);
            return world.judge();
        }
    }

    // ---- reverse replication begins after the opening

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void reverseReplicationThatBeginsAfterTheOpening() throws Exception {
        isCaught("reverse created late", this::lateReverse, Anomaly.LOST, Anomaly.STALE, Anomaly.DUPLICATED);
    }

    /** The reverse direction starts when clients have written to the target for a while; then the flip is taken back. */
    private Judgement lateReverse(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        AtomicLong begin = new AtomicLong();
        // Whoever could begin it before the replicator does not.
        ports.coordinatorEngine = (_, engine) -> Intercept.sessions(
                engine, (_, method, _, real) -> method.equals("replicateBack") ? null : blind(mutant, method, real));
        ports.replicatorLedger = (_, ledger) -> Intercept.before(ReplicationLedger.class, ledger, (_, _, real) -> {
            Object answer = real.call();
            if (!(answer instanceof ReplicationLedger.Direction d) || d.from().equals("source")) {
                return answer;
            }
            boolean early = begin.get() == 0;
            return new ReplicationLedger.Direction(
                    d.from(),
                    d.to(),
                    d.epoch(),
                    d.generation(),
                    d.startReplid(),
                    mutant ? begin.get() : d.startOffset(),
                    d.loaded(),
                    early || d.attemptRunning());
        });
        try (PostgresWorld world = world(ports)) {
            committed(world.attempt(true));
            world.awaitLoad(400);
            try (PostgresSession target = world.control("target")) {
                begin.set(target.number("SELECT pg_current_wal_flush_lsn() - '0/0'"));
            }
            world.awaitReady(false);
            committed(world.attempt(false));
            world.awaitLoad(300);
            return world.judge();
        }
    }

    // ---- position read before the fence

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void aPositionReadBeforeTheFence() throws Exception {
        isCaught(
                "position before fence",
                this::positionBeforeFence,
                Anomaly.LOST,
                Anomaly.STALE,
                Anomaly.DUPLICATED,
                Anomaly.CYCLE);
    }

    /** Applications that know the source's own address write until the fence, and the applier is behind. */
    private Judgement positionBeforeFence(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.strangers = true;
        ports.deadlineMillis = 30_000;
        ports.coordinatorEngine = (world, engine) -> {
            AtomicBoolean known = new AtomicBoolean();
            return Intercept.sessions(engine, (session, method, _, real) -> switch (method) {
                case "fence" -> {
                    Position position = session.position();
                    assertThat(session.awaitApplied(position, PATIENCE)).isTrue();
                    known.set(true);
                    AutoCloseable stalled = world.stallApplier("target");
                    world.awaitLoad(30);
                    release(stalled, Duration.ofSeconds(3));
                    yield real.call();
                }
                case "position" -> mutant && known.get() ? new Position("", 0) : real.call();
                case "awaitApplied" -> mutant && known.get() ? Boolean.TRUE : real.call();
                // A sample may meet a row that is missing, by chance.
                case "verify" -> mutant && known.get() ? List.of() : real.call();
                default -> real.call();
            });
        };
        try (PostgresWorld world = world(ports)) {
            committed(world.attempt(true));
            world.awaitLoad(300);
            return world.judge();
        }
    }

    /** The machine has others to serve than this: some time later is enough. */
    private static void release(@Nullable AutoCloseable stalled, Duration after) {
        if (stalled == null) {
            return;
        }
        CompletableFuture.delayedExecutor(after.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)
                .execute(() -> {
                    try {
                        stalled.close();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                });
    }

    // ---- no drain

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void noDrain() throws Exception {
        isCaughtAtClients("no drain", this::withoutDrain);
    }

    private Judgement withoutDrain(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.coordinatorRoutes = (_, routes) -> Intercept.before(RouteLedger.class, routes, (method, _, real) -> {
            Object answer = real.call();
            if (!mutant || !method.equals("acknowledgements")) {
                return answer;
            }
            List<Object> all = new ArrayList<>((List<?>) Objects.requireNonNull(answer));
            for (String proxy : List.of("p1", "p2")) {
                all.add(new Acknowledgement(proxy, "front", "DRAINED", "{}", 0));
            }
            return all;
        });
        try (PostgresWorld world = world(ports)) {
            world.proxiesToSource.delay(Duration.ofMillis(40));
            world.awaitLoad(100);
            committed(world.attempt(true));
            world.awaitLoad(300);
            return world.judge();
        }
    }

    // ---- the applier's identity is kept

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void anApplierThatIsNotTakenAway() throws Exception {
        isCaught(
                "applier kept",
                this::applierKept,
                Anomaly.LOST,
                Anomaly.DUPLICATED,
                Anomaly.STALE,
                Anomaly.RESURRECTED,
                Anomaly.TORN,
                Anomaly.CYCLE);
    }

    /** What the reverse direction brings to the source comes back to the target. */
    private Judgement applierKept(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.coordinatorEngine = (world, engine) -> Intercept.sessions(engine, (_, method, _, real) -> {
            Object answer = blind(mutant, method, real);
            if (method.equals("turn") && mutant) {
                try (PostgresSession target = world.control("target")) {
                    Appliers.reinstate(target, world.names(), Appliers.epochOf(target, world.names()), true);
                }
            }
            return answer;
        });
        try (PostgresWorld world = world(ports)) {
            if (mutant) {
                insertsThatAreThereAlready(world);
            }
            committed(world.attempt(true));
            if (mutant) {
                world.awaitApplier("target");
            }
            world.awaitLoad(1_000);
            return world.judge();
        }
    }

    /** The target's keys would stop the applier at the first row that comes back. That is another rule, and not what is looked at. */
    private static void insertsThatAreThereAlready(PostgresWorld world) throws SQLException {
        try (PostgresSession target = world.control("target")) {
            target.execute("""
                    CREATE FUNCTION public.there_already() RETURNS trigger LANGUAGE plpgsql AS $$
                    DECLARE there boolean;
                    BEGIN
                        EXECUTE (SELECT format('SELECT EXISTS (SELECT FROM %s t WHERE (%s) = (%s))', TG_RELID::regclass,
                                    string_agg(format('t.%I', a.attname), ', '), string_agg(format('($1).%I', a.attname), ', '))
                                FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                                WHERE i.indrelid = TG_RELID AND i.indisprimary) INTO there USING NEW;
                        RETURN CASE WHEN there THEN NULL ELSE NEW END;
                    END $$""");
            for (String table : target.texts("""
                    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
                    WHERE c.relkind = 'r' AND c.relnamespace = 'app'::regnamespace ORDER BY 1""")) {
                target.executeAll(List.of(
                        "CREATE TRIGGER there_already BEFORE INSERT ON " + table
                                + " FOR EACH ROW EXECUTE FUNCTION public.there_already()",
                        "ALTER TABLE " + table + " ENABLE REPLICA TRIGGER there_already"));
            }
        }
    }

    // ---- late fence after an abort

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void aFenceThatComesAfterTheAbort() throws Exception {
        isCaughtAtClients("late fence", this::lateFence);
    }

    /** The coordinator stalls before its fence, others abort the attempt, and then it goes on. */
    private Judgement lateFence(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.deadlineMillis = 1_500;
        CountDownLatch aborted = new CountDownLatch(1);
        ports.coordinatorEngine = (_, engine) -> Intercept.sessions(engine, (session, method, _, real) -> {
            if (method.equals("fence")) {
                aborted.await();
                if (mutant) {
                    // Long after the drain nobody is at rest any more.
                    session.resting(Set.of());
                }
            }
            return real.call();
        });
        ports.settlerEngine = (_, engine) -> mutant ? leavingSessionsAlone(engine) : engine;
        try (PostgresWorld world = world(ports)) {
            CompletableFuture<AttemptReport> attempt = CompletableFuture.supplyAsync(() -> world.attempt(true));
            world.awaitState(RouteState.PREPARED);
            world.awaitState(RouteState.STABLE);
            world.awaitLoad(50);
            aborted.countDown();
            assertThat(attempt.get().outcome()).isEqualTo("aborted");
            if (mutant) {
                await().atMost(PATIENCE).until(() -> world.troubles() > 0);
            } else {
                world.awaitLoad(300);
            }
            return world.judge();
        }
    }

    private static CutoverEngine leavingSessionsAlone(CutoverEngine engine) {
        return Intercept.settling(engine, CutoverEngine.Others.LEAVE, (owner, method, arguments, real) -> {
            if (method.equals("restore")) {
                owner.restore(((String) arguments[0]).replaceAll("(Pid\":)\\d+", "$10"));
                return null;
            }
            return real.call();
        });
    }

    // ---- opening before STABLE

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void openingBeforeStable() throws Exception {
        isCaught(
                "opening before STABLE",
                this::earlyOpening,
                Anomaly.LOST,
                Anomaly.STALE,
                Anomaly.DUPLICATED,
                Anomaly.CYCLE);
    }

    /** The proxies open on the source when they have drained, on the sessions that the fence has spared. */
    private Judgement earlyOpening(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.coordinatorEngine = (world, engine) -> Intercept.sessions(engine, (_, method, _, real) -> {
            Object answer = blind(mutant, method, real);
            if (method.equals("turn") && mutant) {
                world.awaitLoad(30); // which nothing carries to the target any more
            }
            return answer;
        });
        ports.proxyRoutes = (_, store) -> {
            AtomicLong drained = new AtomicLong(-1);
            return Intercept.before(RouteStore.class, store, (method, arguments, real) -> {
                Object answer = real.call();
                if (method.equals("acknowledge") && arguments[3] == RouteStore.Step.DRAINED) {
                    drained.set((long) arguments[2]);
                }
                return mutant
                                && answer instanceof Route route
                                && route.state() == RouteState.PREPARED
                                && route.attempt() == drained.get()
                        ? stable(route)
                        : answer;
            });
        };
        try (PostgresWorld world = world(ports)) {
            committed(world.attempt(true));
            world.awaitLoad(300);
            return world.judge();
        }
    }

    private static Route stable(Route row) {
        return new Route(
                row.interlay(),
                row.version(),
                row.epoch(),
                RouteState.STABLE,
                row.attempt(),
                0,
                row.active(),
                row.standby(),
                row.activeTag(),
                row.appliedKey(),
                row.canary(),
                row.ackBoth());
    }

    // ---- commit without compare-and-set

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void aCommitWithoutCompareAndSet() throws Exception {
        isCaught(
                "commit without compare-and-set",
                this::blindCommit,
                Anomaly.LOST,
                Anomaly.STALE,
                Anomaly.DUPLICATED,
                Anomaly.RESURRECTED);
    }

    /** The coordinator stalls before its commit, others abort the attempt, clients write on, and then it goes on. */
    private Judgement blindCommit(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.deadlineMillis = 4_000;
        CountDownLatch aborted = new CountDownLatch(1);
        ports.coordinatorRoutes =
                (world, routes) -> Intercept.before(RouteLedger.class, routes, (method, arguments, real) -> {
                    if (!method.equals("commit") || (long) arguments[2] < 0) {
                        return real.call();
                    }
                    aborted.await();
                    return mutant ? commitWhateverTheRowSays(world, (Position) arguments[3]) : real.call();
                });
        try (PostgresWorld world = world(ports)) {
            CompletableFuture<AttemptReport> attempt = CompletableFuture.supplyAsync(() -> world.attempt(true));
            world.awaitState(RouteState.PREPARED);
            world.awaitState(RouteState.STABLE);
            world.awaitReady(true);
            AutoCloseable stalled = world.stallApplier("target");
            world.awaitLoad(300);
            aborted.countDown();
            release(stalled, Duration.ofSeconds(2));
            AttemptReport report = attempt.get();
            assertThat(report.outcome()).as("%s", report).isEqualTo(mutant ? "committed" : "aborted");
            world.awaitLoad(300);
            return world.judge();
        }
    }

    private static boolean commitWhateverTheRowSays(PostgresWorld world, Position turn) {
        world.database
                .jdbi()
                .useHandle(h -> h.createUpdate("""
                        UPDATE route SET state = 'COMMITTED', epoch = epoch + 1, active = standby, standby = active,
                               active_tag = (active_tag + 1) % 16, turn_replid = :replid, turn_offset = :offset
                        WHERE migration = :migration""")
                        .bind("migration", PostgresWorld.MIGRATION)
                        .bind("replid", turn.replid())
                        .bind("offset", turn.offset())
                        .execute());
        return true;
    }

    // ---- abort without compare-and-set

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void anAbortWithoutCompareAndSet() throws Exception {
        isCaughtAtClients("abort without compare-and-set", this::blindAbort);
    }

    /** Another process finds the attempt too old and stalls before its abort; meanwhile the coordinator commits, clients write to the target, and then it goes on. */
    private Judgement blindAbort(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.deadlineMillis = 1_500;
        CountDownLatch found = new CountDownLatch(1);
        CountDownLatch written = new CountDownLatch(1);
        CountDownLatch aborted = new CountDownLatch(1);
        ports.coordinatorRoutes =
                (_, routes) -> Intercept.before(RouteLedger.class, routes, (method, arguments, real) -> {
                    if (method.equals("commit") && (long) arguments[2] >= 0) {
                        found.await();
                    }
                    return real.call();
                });
        // A proxy could abort it as well, and rightly so.
        ports.proxyRoutes = (_, store) -> Intercept.before(
                RouteStore.class, store, (method, _, real) -> method.equals("abort") ? Boolean.FALSE : real.call());
        ports.settlerRoutes =
                (world, routes) -> Intercept.before(RouteLedger.class, routes, (method, arguments, real) -> {
                    if (!method.equals("beginAbort") || aborted.getCount() == 0) {
                        return real.call();
                    }
                    found.countDown();
                    written.await();
                    Object answer = mutant
                            ? abortWhateverTheRowSays(world, (long) arguments[1], (long) arguments[2])
                            : real.call();
                    aborted.countDown();
                    return answer;
                });
        try (PostgresWorld world = world(ports)) {
            AutoCloseable stalled = null;
            try {
                committed(world.attempt(true));
                stalled = world.stallApplier("source");
                world.awaitLoad(300);
            } finally {
                written.countDown();
            }
            aborted.await();
            release(stalled, Duration.ofSeconds(2));
            world.awaitLoad(300);
            return world.judge();
        }
    }

    private static boolean abortWhateverTheRowSays(PostgresWorld world, long epoch, long attempt) {
        world.database
                .jdbi()
                .useHandle(h -> h.createUpdate("""
                        UPDATE route SET state = 'ABORTING', epoch = :epoch, attempt = :attempt, active = 'source', standby = 'target'
                        WHERE migration = :migration""")
                        .bind("migration", PostgresWorld.MIGRATION)
                        .bind("epoch", epoch)
                        .bind("attempt", attempt)
                        .execute());
        return true;
    }

    // ---- an applier that is stopped at the drain

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void anApplierThatIsStoppedAtTheDrain() throws Exception {
        isCaught(
                "applier stopped at the drain",
                this::stoppedApplier,
                Anomaly.LOST,
                Anomaly.STALE,
                Anomaly.DUPLICATED,
                Anomaly.CYCLE);
    }

    /** It has what it has read by then; nobody waits until it has written that, and it wakes when the turn has taken its right to write. */
    private Judgement stoppedApplier(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.deadlineMillis = 3_000;
        AtomicReference<AutoCloseable> stopped = new AtomicReference<>(() -> {});
        ports.coordinatorRoutes = (world, routes) -> Intercept.before(RouteLedger.class, routes, (method, _, real) -> {
            if (method.equals("prepare")) {
                stopped.set(world.stopApplier());
                world.awaitLoad(50);
            }
            return real.call();
        });
        ports.coordinatorEngine = (_, engine) -> Intercept.sessions(engine, (_, method, _, real) -> {
            if (mutant && method.equals("awaitApplied")) {
                return Boolean.TRUE;
            }
            if (mutant && method.equals("turn")) {
                release(stopped.get(), Duration.ofMillis(200));
            }
            return blind(mutant, method, real);
        });
        try (PostgresWorld world = world(ports)) {
            AttemptReport report = world.attempt(true);
            stopped.get().close();
            assertThat(report.outcome()).as("%s", report).isEqualTo(mutant ? "committed" : "aborted");
            world.awaitLoad(300);
            return world.judge();
        }
    }

    // ---- a statement in doubt is sent again

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void aStatementInDoubtSentAgain() throws Exception {
        isCaught("in doubt, sent again", this::lostReplies, Anomaly.DUPLICATED, Anomaly.REORDERED, Anomaly.WRONG);
    }

    /** What the clients have sent to the new side runs, but its answers are lost with the connections. */
    private Judgement lostReplies(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.clients = 48;
        ports.targetOverLink = true;
        ports.repeats = mutant;
        ports.prepare = (_, target) -> letInWithoutPassword(target);
        try (PostgresWorld world = world(ports)) {
            // Every client has something to ask when the target opens.
            release(world.stallApplier("target"), Duration.ofSeconds(3));
            committed(world.attempt(true));
            world.awaitLoad(300);
            world.proxiesToTarget.swallowReplies();
            await().atMost(PATIENCE).until(() -> world.proxiesToTarget.swallowing() >= 40);
            world.proxiesToTarget.cut();
            world.awaitLoad(300);
            if (world.repeater != null) {
                assertThat(world.repeater.repeated()).isGreaterThan(10);
            }
            return world.judge();
        }
    }

    /** The demo's user: see {@link Repeater}. */
    private static void letInWithoutPassword(String uri) throws SQLException {
        String[] login = URI.create(uri).getUserInfo().split(":", 2);
        try (Connection connection =
                        DriverManager.getConnection("jdbc:" + uri.replaceFirst("//.*@", "//"), login[0], login[1]);
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    DO $$ BEGIN
                        EXECUTE format('COPY (VALUES (''host all app 127.0.0.1/32 trust''), (''host all all 127.0.0.1/32 scram-sha-256'')) TO %L', current_setting('hba_file'));
                        PERFORM pg_reload_conf();
                    END $$""");
        }
    }

    // ---- sequences read before the fence

    @Test
    @EnabledIfSystemProperty(named = "eden.mutants", matches = "all")
    void sequencesReadBeforeTheFence() throws Exception {
        isCaughtAtClients("sequences before fence", this::earlySequences);
    }

    private Judgement earlySequences(boolean mutant) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        Map<String, Long> early = new HashMap<>();
        ports.coordinatorEngine = (world, engine) -> Intercept.sessions(engine, (_, method, _, real) -> {
            if (method.equals("undo")) {
                early.putAll(sequences(world));
                world.awaitLoad(400);
            }
            Object answer = real.call();
            if (method.equals("turn") && mutant) {
                try (PostgresSession target = world.control("target")) {
                    early.forEach((name, value) -> target.number("SELECT setval(?::regclass, ?)", name, value));
                }
            }
            return answer;
        });
        try (PostgresWorld world = world(ports)) {
            committed(world.attempt(true));
            world.awaitLoad(600);
            return world.judge();
        }
    }

    private static Map<String, Long> sequences(PostgresWorld world) {
        Map<String, Long> all = new HashMap<>();
        try (PostgresSession source = world.control("source")) {
            source.query(
                    "SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences WHERE schemaname = 'app' AND last_value IS NOT NULL",
                    row -> all.put(row.getString(1), row.getLong(2)));
        }
        return all;
    }
}
