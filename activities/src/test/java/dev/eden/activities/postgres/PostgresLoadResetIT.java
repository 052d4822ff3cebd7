package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.replication.PostgresReplicator;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.ReplicationWatcher;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A load that begins again is cut off while it takes the one before apart, and goes on all the same; never is the one before taken for whole. */
class PostgresLoadResetIT {
    private static final Duration LONG = Duration.ofSeconds(40);

    /** The target refuses that statement, with everything before it done. */
    private static final String REFUSAL = """
            CREATE FUNCTION public.refuse() RETURNS %s LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cut off'; END $$;
            CREATE %s""";

    @ParameterizedTest
    @CsvSource({"14, DROP SUBSCRIPTION", "18, DROP SUBSCRIPTION", "18, TRUNCATE"})
    void goesOn(int version, String cut) {
        try (var servers = PostgresServers.start(version, version)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        SET search_path = public;
                        CREATE TABLE checked (id int PRIMARY KEY, n int);
                        INSERT INTO checked SELECT i, -i FROM generate_series(1, 100) AS i;
                        ALTER TABLE checked ADD CONSTRAINT recent CHECK (n > 0) NOT VALID""");
            }
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(running.failure.get()).isNull();
            }
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target")) {
                await().atMost(LONG).ignoreExceptions().until(() -> {
                    source.execute(
                            "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = 'eden_m1_main'");
                    source.execute("SELECT pg_drop_replication_slot('eden_m1_main')");
                    return true;
                });
                boolean event = cut.equals("DROP SUBSCRIPTION");
                target.execute(
                        event
                                ? REFUSAL.formatted(
                                        "event_trigger",
                                        "EVENT TRIGGER refused ON ddl_command_start WHEN TAG IN ('DROP SUBSCRIPTION') EXECUTE FUNCTION public.refuse()")
                                : REFUSAL.formatted(
                                        "trigger",
                                        "TRIGGER refused BEFORE TRUNCATE ON public.checked EXECUTE FUNCTION public.refuse()"));
                assertThatThrownBy(() -> {
                            try (var replicator =
                                    new PostgresReplicator(servers.pair(), servers.store, Clock.systemUTC())) {
                                replicator.run(progress -> {});
                            }
                        })
                        .isInstanceOf(PostgresException.class)
                        .hasMessageContaining("P0001");
                assertThat(servers.store.current(PostgresServers.MIGRATION).loaded())
                        .isFalse();
                target.execute(event ? "DROP EVENT TRIGGER refused" : "DROP TRIGGER refused ON public.checked");
                target.execute("DROP FUNCTION public.refuse()");
                source.execute(
                        "UPDATE public.checked SET n = 1 WHERE id = 1; INSERT INTO public.checked VALUES (101, 1)");
                if (event) {
                    assertTold(servers);
                }
                try (var running = servers.replicate()) {
                    await().atMost(LONG)
                            .until(() -> servers.store
                                    .current(PostgresServers.MIGRATION)
                                    .loaded());
                    PostgresMigrationIT.awaitStreaming(servers);
                    String rows = "SELECT string_agg(c::text, ' ' ORDER BY id) FROM public.checked AS c";
                    assertThat(target.text(rows)).isEqualTo(source.text(rows));
                    assertThat(target.is("SELECT NOT convalidated FROM pg_constraint WHERE conname = 'recent'"))
                            .isTrue();
                    assertThat(running.failure.get()).isNull();
                }
            }
        }
    }

    /** As the one that was cut off would have told it. */
    private static void assertTold(PostgresServers servers) {
        try (var replicator = new PostgresReplicator(servers.pair(), servers.store, Clock.systemUTC())) {
            assertThatThrownBy(() -> replicator.run(new ReplicationWatcher() {
                        @Override
                        public void beat(Progress progress) {}

                        @Override
                        public void loadsAgain(String why) {
                            throw new IllegalStateException("told: " + why);
                        }
                    }))
                    .hasMessageStartingWith("told: ");
        }
        assertThat(servers.store.current(PostgresServers.MIGRATION).loaded()).isFalse();
    }
}
