package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A worker that was given up for dead goes on loading while the next one has begun: only one of them may. */
class TakeoverIT {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final String ROWS = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM public.keyless";

    /** {@code resumed}: one table is complete when the second comes, which goes on with the first one's slot; else it begins anew. */
    @ParameterizedTest
    @CsvSource({"14, false", "18, false", "14, true", "18, true"})
    void ofTwoThatOverlapTheLaterLoads(int version, boolean resumed) throws Exception {
        try (var servers = PostgresServers.start(version, version)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        CREATE TABLE public.keyless (n int);
                        ALTER TABLE public.keyless REPLICA IDENTITY FULL;
                        INSERT INTO public.keyless SELECT generate_series(1, 100)""");
                if (resumed) {
                    source.execute(
                            "CREATE TABLE public.complete (n int PRIMARY KEY); INSERT INTO public.complete VALUES (1)");
                }
            }
            servers.prepare();
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession reader = servers.control("target");
                    var first = new Replicating(servers);
                    var second = new Replicating(servers)) {
                reader.transaction(() -> {
                    // Stands in the way of the load, so that it stops between its snapshot and its rows.
                    reader.number("SELECT count(*) FROM public.keyless");
                    first.start();
                    awaitHeldUp(target, "-infinity");
                    await().atMost(LONG)
                            .until(() -> !resumed
                                    || target.is("SELECT true FROM eden_m1.loaded WHERE name = 'public.complete'"));
                    source.execute("INSERT INTO public.keyless VALUES (101)");
                    first.stall();
                    String since = now(target);
                    String sinceOnSource = now(source);
                    second.start();
                    awaitHeldUp(target, since);
                    assertThat(ofLoadBefore(target, since)).isEmpty();
                    assertThat(ofLoadBefore(source, sinceOnSource))
                            .as("one that exports a snapshot too")
                            .isEmpty();
                    source.execute("INSERT INTO public.keyless VALUES (102)");
                });
                await().atMost(LONG)
                        .until(() ->
                                servers.store.current(PostgresServers.MIGRATION).loaded());
                source.execute("INSERT INTO public.keyless VALUES (103)");
                await().atMost(LONG)
                        .untilAsserted(() -> assertThat(target.text(ROWS)).isEqualTo(source.text(ROWS)));
                first.goOn();
                assertThatThrownBy(() -> first.over.get(30, TimeUnit.SECONDS))
                        .cause()
                        .isInstanceOf(Superseded.class);
                assertThat(second.over).isNotDone();
                assertThat(servers.store.current(PostgresServers.MIGRATION).generation())
                        .as("neither ends the other again")
                        .isEqualTo(2);
            }
        }
    }

    @Test
    void whoeverIsLateTakesNothingApart() {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.keyless (n int); INSERT INTO public.keyless VALUES (1)");
            }
            servers.prepare();
            EdenObjects names = servers.pair().names();
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target")) {
                // As an earlier Eden has prepared it.
                source.execute("DROP TABLE eden_m1.loader");
                target.execute("DROP TABLE eden_m1.loader");
                try (var replicating = new Replicating(servers)) {
                    replicating.start();
                    await().atMost(LONG)
                            .until(() -> servers.store
                                    .current(PostgresServers.MIGRATION)
                                    .loaded());
                }
                new LoadClaim(names, 5).take(source);
                assertThatThrownBy(() -> new LoadReset(servers.pair(), 0, 4).reset())
                        .hasMessageContaining("generation 5 has been here");
                new LoadClaim(names, 5).take(target);
                assertThatThrownBy(() -> new LoadReset(servers.pair(), 0, 4).reset())
                        .hasMessageContaining("generation 5 has been here");
                assertThat(Links.usable(source, names.main())).isTrue();
                assertThat(Link.exists(target, names.main())).isTrue();
                assertThat(target.number("SELECT count(*) FROM public.keyless")).isEqualTo(1);
            }
        }
    }

    @Test
    void whoeverComesToLoadEndsTheSessionsOfThoseBefore() {
        try (var servers = PostgresServers.start(16, 16)) {
            servers.prepare();
            EdenObjects names = servers.pair().names();
            LoadClaim earlier = new LoadClaim(names, 1);
            LoadClaim later = new LoadClaim(names, 2);
            try (PostgresSession source = servers.control("source")) {
                earlier.take(source);
                try (PostgresSession snapshot = servers.pair().replication(Role.SOURCE, "snapshot");
                        PostgresSession lane = servers.pair().control(Role.SOURCE, "load", Duration.ZERO);
                        PostgresSession marker = servers.pair().control(Role.SOURCE, "marker", Duration.ZERO)) {
                    earlier.require(snapshot);
                    snapshot.execute("CREATE_REPLICATION_SLOT passing TEMPORARY LOGICAL pgoutput");
                    earlier.require(lane);
                    later.take(source);
                    assertThat(source.texts("SELECT slot_name FROM pg_replication_slots"))
                            .isEmpty();
                    assertThatThrownBy(() -> lane.execute("SELECT 1")).hasMessageContaining("57P01");
                    assertThatThrownBy(() -> earlier.require(marker)).hasMessageContaining("generation 2");
                }
                try (PostgresSession lane = servers.pair().control(Role.SOURCE, "load", Duration.ZERO)) {
                    later.require(lane);
                    assertThatThrownBy(() -> earlier.take(source)).hasMessageContaining("generation 2");
                    later.require(lane);
                }
                later.take(source);
            }
        }
    }

    /** What it lets go on rewrites the table under the snapshot that the later one copies under, which then shows no rows. */
    @Test
    void whoeverIsLateCarriesNoChange() {
        try (var servers = PostgresServers.start(16, 16);
                PostgresSession owner = servers.own("source")) {
            owner.execute("CREATE TABLE public.t (id int PRIMARY KEY, n int)");
            servers.prepare(PostgresServers.spec("additive"));
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    var replicating = new Replicating(servers)) {
                replicating.start();
                await().atMost(LONG)
                        .until(() -> servers.store
                                .progress(PostgresServers.MIGRATION)
                                .filter(progress -> progress.state().equals("streaming"))
                                .isPresent());
                owner.execute("ALTER TABLE public.t ADD note varchar(10)");
                LoadClaim later = new LoadClaim(servers.pair().names(), 1_000);
                String type = "SELECT format_type(atttypid, NULL) FROM pg_attribute"
                        + " WHERE attrelid = 'public.t'::regclass AND attname = 'n'";
                later.take(target);
                owner.execute("SET statement_timeout = '3s'");
                assertThatThrownBy(() -> owner.execute("ALTER TABLE public.t ALTER n TYPE bigint"));
                assertThat(target.text(type)).as("seen on the standby").contains("integer");
                later.take(source);
                assertThatThrownBy(() -> owner.execute("ALTER TABLE public.t ALTER n TYPE bigint"));
                assertThat(source.text(type)).contains("integer");
            }
        }
    }

    private static void awaitHeldUp(PostgresSession target, String since) {
        await().atMost(LONG).until(() -> target.is("""
                SELECT count(*) > 0 FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND query ~ '^TRUNCATE ONLY .*keyless' AND backend_start > ?::timestamptz""", since));
    }

    private static String now(PostgresSession session) {
        return session.text("SELECT clock_timestamp()::text").orElseThrow();
    }

    private static List<String> ofLoadBefore(PostgresSession session, String since) {
        return session.texts("""
                SELECT application_name FROM pg_stat_activity
                WHERE application_name ~ '^eden_m1:(bring-up|load|snapshot)$' AND backend_start < ?::timestamptz""", since);
    }

    /** A replicator on its own thread, and how it came to its end. */
    private static final class Replicating implements AutoCloseable {
        final CompletableFuture<Void> over = new CompletableFuture<>();
        private final PostgresServers servers;
        private final PostgresReplicator replicator;
        private final Thread thread;
        private volatile CountDownLatch gate = new CountDownLatch(0);

        Replicating(PostgresServers servers) {
            this.servers = servers;
            ReplicationLedger ledger = (ReplicationLedger) Proxy.newProxyInstance(
                    ReplicationLedger.class.getClassLoader(), new Class<?>[] {ReplicationLedger.class}, this::asked);
            replicator = new PostgresReplicator(servers.pair(), ledger, Clock.systemUTC());
            thread = Thread.ofVirtual().unstarted(this::run);
        }

        void start() {
            thread.start();
        }

        /** It hears nothing of the route, nor who else replicates; what it has begun on the servers goes on. */
        void stall() {
            gate = new CountDownLatch(1);
        }

        void goOn() {
            gate.countDown();
        }

        private @Nullable Object asked(Object ledger, Method method, Object[] arguments) throws Throwable {
            if (method.getReturnType() == Direction.class) {
                gate.await();
            }
            try {
                return method.invoke(servers.store, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }

        private void run() {
            try {
                replicator.run(progress -> {});
                over.complete(null);
            } catch (RuntimeException e) {
                over.completeExceptionally(e);
            }
        }

        @Override
        public void close() {
            goOn();
            replicator.close();
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
