package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Progress;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A server whose disk fills with the log that Eden makes it keep is let go; what is lost with a log is never papered over, and a log that nobody needs is let go anyway. */
class RetentionIT {
    private static final Duration LONG = Duration.ofSeconds(90);
    /** Full of whatever a slot keeps, and full of other things. */
    private static final Retention FULL = new Retention(Long.MAX_VALUE, 0);

    private static final Retention SHORT = new Retention(Long.MAX_VALUE, Long.MAX_VALUE);
    private static final String SLOT = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'eden_m1_main'";

    @Test
    void theSourceComesFirst() {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY, note text)");
            }
            servers.prepare();
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    // Stands in the way of the load, so that the slot stays where it is.
                    PostgresSession reader = servers.control("target")) {
                reader.execute("SET search_path = public");
                reader.transaction(() -> {
                    reader.number("SELECT count(*) FROM public.t");
                    Thread.ofVirtual().start(() -> fill(servers));
                    assertThatThrownBy(() -> {
                                try (var replicator = new PostgresReplicator(
                                        servers.pair(), servers.store, Clock.systemUTC(), true, FULL)) {
                                    replicator.run(progress -> {});
                                }
                            })
                            .isInstanceOf(ReplicationStopped.class)
                            .hasMessageContaining("source comes first");
                });
                assertThat(source.number("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'eden_m1_main'"))
                        .isZero();
                assertThat(target.number("SELECT count(*) FROM pg_subscription"))
                        .isZero();
            }
        }
    }

    /** What was to blame has gone meanwhile, and a later load begun. */
    @Test
    void whoeverIsLateLetsNoLaterSlotGo() throws Exception {
        try (var servers = PostgresServers.start(16, 16)) {
            servers.prepare();
            String make = "SELECT pg_create_logical_replication_slot('eden_m1_main', 'pgoutput')::text";
            try (PostgresSession source = servers.control("source");
                    PostgresSession other = servers.control("source");
                    var watch = new RetentionWatch(servers.pair(), FULL, servers.store)) {
                source.text(make);
                fill(servers);
                CompletableFuture<Void> looked = source.transaction(() -> {
                    Appliers.lock(source, servers.pair().names());
                    var looking = CompletableFuture.runAsync(
                            () -> watch.look(servers.store.current(PostgresServers.MIGRATION)),
                            Thread::startVirtualThread);
                    await().atMost(LONG)
                            .until(
                                    () -> other.is(
                                            "SELECT true FROM pg_stat_activity WHERE application_name = 'eden_m1:retention' AND wait_event = 'advisory'"));
                    drop(other);
                    other.text(make);
                    return looking;
                });
                looked.get(60, TimeUnit.SECONDS);
                assertThat(watch.verdict()).isNull();
                assertThat(other.text(SLOT)).isPresent();
            }
        }
    }

    /** Nothing else would stop it then: replication waits for the server that is away, and the log grows. */
    @Test
    void theSourceComesFirstWhileTheTargetIsAway() throws Exception {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY, note text)");
            }
            servers.prepare();
            CountDownLatch streaming = new CountDownLatch(1);
            try (var replicator =
                    new PostgresReplicator(servers.pair(), servers.store, Clock.systemUTC(), true, FULL)) {
                CompletableFuture<Void> running = CompletableFuture.runAsync(
                        () -> replicator.run(progress -> {
                            // What is kept is told, so that somebody can see it grow.
                            if (progress.state().equals("streaming") && progress.retainedBytes() != null) {
                                streaming.countDown();
                            }
                        }),
                        Thread::startVirtualThread);
                assertThat(streaming.await(60, TimeUnit.SECONDS)).isTrue();
                servers.target.kill();
                fill(servers);
                assertThatThrownBy(() -> running.get(60, TimeUnit.SECONDS))
                        .cause()
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("source comes first");
                assertThat(servers.store
                                .progress(PostgresServers.MIGRATION)
                                .orElseThrow()
                                .lagMs())
                        .as("not known")
                        .isEqualTo(-1);
                try (PostgresSession source = servers.control("source")) {
                    assertThat(source.texts("SELECT slot_name FROM pg_replication_slots"))
                            .isEmpty();
                }
            }
        }
    }

    /** Begun anew, the log of the way back would lack what was acknowledged before, and everything would look well. */
    @Test
    void afterAFlipALogThatWasLetGoStaysLost() {
        try (var servers = flipped()) {
            servers.source.kill();
            CompletableFuture<Void> running = stopping(servers, FULL);
            fill(servers, "target");
            assertStopped(running, "target comes first");
            write(servers);
            servers.source.restart();
            assertNoWayBack(servers);
            try (PostgresSession target = servers.control("target")) {
                assertThat(target.text(SLOT)).isEmpty();
                target.text("SELECT pg_create_logical_replication_slot('eden_m1_main', 'pgoutput')::text");
            }
            assertNoWayBack(servers);
        }
    }

    /** A worker that died between the drop and its verdict leaves the same. */
    @Test
    void afterAFlipALogThatWentWhileNobodyLookedStaysLost() {
        try (var servers = flipped()) {
            try (PostgresSession target = servers.control("target")) {
                drop(target);
                write(servers);
                assertNoWayBack(servers);
                assertThat(target.text(SLOT)).isEmpty();
            }
        }
    }

    /** The owner of writes has moved on: what a stalled process makes there now would begin with the present. */
    @Test
    void whoeverIsLateMakesNoSlot() {
        try (var servers = flipped();
                PostgresSession target = servers.control("target");
                PostgresSession source = servers.control("source")) {
            drop(target);
            assertThat(new StandbySlot(servers.pair().names(), 0).ensure(target))
                    .isFalse();
            assertThat(new StandbySlot(servers.pair().names(), 0).skip(target, () -> false))
                    .isEqualTo(StandbySlot.Skip.LATE);
            assertThat(target.number(
                            "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%main' OR temporary"))
                    .isZero();
            drop(source);
            assertThat(new StandbySlot(servers.pair().names(), 1).ensure(source))
                    .isTrue();
            assertThat(source.text(SLOT)).contains("reserved");
        }
    }

    /** What the side keeps that is written by replication only is worth nothing, so a bound of the server's own may take it. */
    @Test
    void aWayBackThatHasLostItsLogIsMadeAnew() {
        try (var servers = PostgresServers.start(14, 18)) {
            prepare(servers);
            replicate(servers);
            lose(servers, "target");
            try (var _ = servers.replicate()) {
                awaitStreaming(servers);
                assertThat(rolls(servers, true).outcome()).isEqualTo("committed");
                write(servers);
                awaitStreaming(servers);
            }
            lose(servers, "source");
            try (var _ = servers.replicate()) {
                awaitStreaming(servers);
                assertThat(rolls(servers, false).outcome()).isEqualTo("committed");
                try (PostgresSession source = servers.control("source");
                        PostgresSession target = servers.control("target")) {
                    assertThat(source.number("SELECT count(*) FROM public.t")).isEqualTo(1);
                    source.execute("INSERT INTO public.t VALUES (2, 'back')");
                    await().atMost(LONG).until(() -> target.number("SELECT count(*) FROM public.t WHERE id = 2") == 1);
                }
            }
        }
    }

    /** What came while Eden was away is skipped by and by; a step that is cut off ends no run, which may be building an index just then. */
    @Test
    void aStandbyThatIsFarBehindIsSkippedInSteps() {
        try (var servers = PostgresServers.start(16, 16)) {
            prepare(servers);
            replicate(servers);
            try (PostgresSession target = servers.control("target")) {
                for (int i = 0; i < 600; i++) {
                    target.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1048576))");
                }
                String end =
                        target.text("SELECT pg_current_wal_insert_lsn()::text").orElseThrow();
                long before = servers.store.current(PostgresServers.MIGRATION).generation();
                try (var _ = servers.replicate()) {
                    await().atMost(LONG).pollInterval(Duration.ofMillis(5)).until(() -> target.is("""
                                    SELECT bool_or(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
                                        AND state = 'active' AND query LIKE '%pg_replication_slot_advance%'"""));
                    await().atMost(LONG)
                            .until(() -> target.is(
                                    "SELECT confirmed_flush_lsn >= ?::pg_lsn FROM pg_replication_slots WHERE slot_name = 'eden_m1_main'",
                                    end));
                    awaitStreaming(servers);
                    assertThat(servers.store.current(PostgresServers.MIGRATION).generation())
                            .isEqualTo(before + 1);
                    assertThat(rolls(servers, true).outcome()).isEqualTo("committed");
                }
            }
        }
    }

    /** Its workflow was terminated, or a person is needed: the servers go on replicating, or one waits for the other with its log. */
    @Test
    void whatNobodyReplicatesAnyMoreIsLookedAfter() {
        try (var servers = PostgresServers.start(16, 16)) {
            prepare(servers);
            replicate(servers);
            try (var sweeper = sweeper(servers, FULL);
                    PostgresSession source = servers.control("source")) {
                try (PostgresSession target = servers.control("target")) {
                    target.execute("SELECT pg_logical_emit_message(true, 'fill', 'x')");
                    String end = target.text("SELECT pg_current_wal_flush_lsn()::text")
                            .orElseThrow();
                    sweeper.sweep();
                    assertThat(target.is(
                                    "SELECT confirmed_flush_lsn >= ?::pg_lsn FROM pg_replication_slots WHERE slot_name = 'eden_m1_main'",
                                    end))
                            .isTrue();
                }
                assertThat(source.text(SLOT)).isPresent();
                servers.target.kill();
                fill(servers);
                try (var patient = sweeper(servers, SHORT)) {
                    patient.sweep();
                }
                assertThat(source.text(SLOT)).isPresent();
                sweeper.sweep();
                assertThat(source.texts("SELECT slot_name FROM pg_replication_slots"))
                        .isEmpty();
            }
        }
    }

    /** What else fills the disk does not go with the slot; so it stays, and somebody is told. */
    @Test
    void aDiskThatIsShortOfOtherThingsHoldsACutoverUpAndNoWayBack() throws Exception {
        try (var servers = PostgresServers.start(16, 16)) {
            prepare(servers);
            CompletableFuture<Void> running;
            try (var replicator =
                    new PostgresReplicator(servers.pair(), servers.store, Clock.systemUTC(), true, SHORT)) {
                running = CompletableFuture.runAsync(() -> replicator.run(progress -> {}), Thread::startVirtualThread);
                awaitStreaming(servers);
                try (PostgresSession source = servers.control("source");
                        PostgresSession reader = servers.control("target")) {
                    reader.transaction(() -> {
                        reader.execute("LOCK TABLE public.t");
                        source.execute("INSERT INTO public.t VALUES (7, 'waits')");
                        fill(servers);
                        await().atMost(LONG)
                                .untilAsserted(() -> assertThat(servers.store
                                                .progress(PostgresServers.MIGRATION)
                                                .orElseThrow()
                                                .problem())
                                        .contains("make room on source"));
                    });
                    assertThat(source.text(SLOT)).isPresent();
                }
                awaitStreaming(servers);
                AttemptReport refused = rolls(servers, true, SHORT);
                assertThat(refused.outcome()).isEqualTo("refused");
                assertThat(refused.blockers())
                        .singleElement()
                        .asString()
                        .startsWith("the disk of the log of target has ");
                bound(servers, "'64MB'");
                try (PostgresSession target = servers.control("target")) {
                    assertThat(SHORT.needed(target))
                            .as("and what comes until the server looks at it")
                            .isEqualTo((64L << 20)
                                    + target.number("SELECT pg_size_bytes(current_setting('max_wal_size'))"));
                }
                AttemptReport bounded = rolls(servers, true, SHORT);
                assertThat(bounded.outcome()).as("%s", bounded).isEqualTo("committed");
                bound(servers, "DEFAULT");
                awaitStreaming(servers);
                assertThat(rolls(servers, false, SHORT).outcome()).isEqualTo("committed");
            }
            running.get(30, TimeUnit.SECONDS);
        }
    }

    /** It needs no more room than that for the way back. */
    private static void bound(PostgresServers servers, String keep) {
        try (PostgresSession target = servers.control("target")) {
            String before = target.text("SHOW max_slot_wal_keep_size").orElseThrow();
            target.execute("ALTER SYSTEM SET max_slot_wal_keep_size = " + keep);
            target.execute("SELECT pg_reload_conf()");
            await().atMost(LONG)
                    .until(() -> !target.text("SHOW max_slot_wal_keep_size")
                            .orElseThrow()
                            .equals(before));
        }
    }

    /** Another one takes a generation between two looks, and is gone: what was to be loaded again is loaded by the next, not lost for good. */
    @Test
    void whoeverIsOvertakenOverALostLogIsSuperseded() {
        try (var servers = PostgresServers.start(16, 16)) {
            prepare(servers);
            replicate(servers);
            try (PostgresSession source = servers.control("source")) {
                drop(source);
            }
            ReplicationLedger overtaken = (ReplicationLedger) Proxy.newProxyInstance(
                    ReplicationLedger.class.getClassLoader(),
                    new Class<?>[] {ReplicationLedger.class},
                    (_, method, arguments) -> {
                        if (method.getName().equals("restartLoad")) {
                            servers.store.nextGeneration(PostgresServers.MIGRATION, 0);
                        }
                        try {
                            return method.invoke(servers.store, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
            try (var replicator = new PostgresReplicator(servers.pair(), overtaken, Clock.systemUTC())) {
                assertThatThrownBy(() -> replicator.run(progress -> {})).isInstanceOf(Superseded.class);
            }
            assertThat(servers.store.current(PostgresServers.MIGRATION).loaded())
                    .as("the other's business")
                    .isTrue();
        }
    }

    private static RetentionSweeper sweeper(PostgresServers servers, Retention retention) {
        return new RetentionSweeper(
                servers,
                servers.records,
                servers.store,
                servers.store,
                Clock.offset(Clock.systemUTC(), Duration.ofMinutes(1)),
                retention);
    }

    private static void prepare(PostgresServers servers) {
        try (PostgresSession source = servers.own("source")) {
            source.execute("CREATE TABLE public.t (id int PRIMARY KEY, note text)");
        }
        servers.prepare();
    }

    /** Whoever streams from it is back at once. */
    private static void drop(PostgresSession publisher) {
        Links.dropSlot(publisher, "eden_m1_main");
    }

    /** Until it streams both ways; then nobody looks any more. */
    private static void replicate(PostgresServers servers) {
        try (var _ = servers.replicate()) {
            awaitStreaming(servers);
        }
    }

    /** Writes are with the target, replication streams back, and no replicator runs. */
    private static PostgresServers flipped() {
        PostgresServers servers = PostgresServers.start(16, 16);
        prepare(servers);
        try (var _ = servers.replicate()) {
            awaitStreaming(servers);
            AttemptReport report = rolls(servers, true);
            assertThat(report.outcome()).as("%s", report).isEqualTo("committed");
            awaitStreaming(servers);
        }
        return servers;
    }

    private static AttemptReport rolls(PostgresServers servers, boolean forward) {
        return rolls(servers, forward, Retention.DEFAULT);
    }

    private static AttemptReport rolls(PostgresServers servers, boolean forward, Retention retention) {
        PostgresCutover engine = new PostgresCutover(servers, servers.records, retention);
        return new CutoverCoordinator(
                        servers.store, servers.store, engine, new AttemptSettler(servers.store, engine), "test")
                .attempt(PostgresServers.spec(), forward, 1);
    }

    private static void awaitStreaming(PostgresServers servers) {
        long since = System.currentTimeMillis();
        await().atMost(LONG).untilAsserted(() -> {
            Optional<Progress> progress = servers.store.progress(PostgresServers.MIGRATION);
            assertThat(progress).hasValueSatisfying(p -> {
                assertThat(p.state()).as("%s", p).isEqualTo("streaming");
                assertThat(p.reverseProven()).isTrue();
                assertThat(p.lagMs()).isLessThan(1_000);
                assertThat(p.atMillis()).isGreaterThan(since);
            });
        });
    }

    private static void write(PostgresServers servers) {
        try (PostgresSession target = servers.own("target")) {
            target.execute("INSERT INTO public.t VALUES (1, 'acknowledged')");
        }
    }

    private static CompletableFuture<Void> stopping(PostgresServers servers, Retention retention) {
        return CompletableFuture.runAsync(
                () -> {
                    try (var replicator =
                            new PostgresReplicator(servers.pair(), servers.store, Clock.systemUTC(), true, retention)) {
                        replicator.run(progress -> {});
                    }
                },
                Thread::startVirtualThread);
    }

    private static void assertStopped(CompletableFuture<Void> running, String why) {
        assertThatThrownBy(() -> running.get(30, TimeUnit.SECONDS))
                .cause()
                .isInstanceOf(ReplicationStopped.class)
                .hasMessageContaining(why);
    }

    /** However often somebody resumes. */
    private static void assertNoWayBack(PostgresServers servers) {
        assertStopped(stopping(servers, Retention.DEFAULT), "after a flip");
        assertStopped(stopping(servers, Retention.DEFAULT), "after a flip");
        AttemptReport report = rolls(servers, false);
        assertThat(report.outcome()).as("%s", report).isEqualTo("refused");
    }

    /** Nobody moves the slot, and the server keeps 1 MiB of log for it. */
    private static void lose(PostgresServers servers, String id) {
        try (PostgresSession side = servers.control(id)) {
            side.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
            side.execute("SELECT pg_reload_conf()");
            await().atMost(LONG).until(() -> {
                side.execute("SELECT pg_logical_emit_message(false, 'fill', 'x')");
                side.execute("SELECT pg_switch_wal()");
                side.execute("CHECKPOINT");
                return side.text(SLOT).equals(Optional.of("lost"));
            });
            side.execute("ALTER SYSTEM RESET max_slot_wal_keep_size");
            side.execute("SELECT pg_reload_conf()");
        }
    }

    private static void fill(PostgresServers servers) {
        fill(servers, "source");
    }

    /** 40 MiB of log. */
    private static void fill(PostgresServers servers, String id) {
        try (PostgresSession writer = servers.control(id)) {
            for (int i = 0; i < 40; i++) {
                writer.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1048576))");
                writer.execute("SELECT pg_switch_wal()");
            }
        }
    }
}
