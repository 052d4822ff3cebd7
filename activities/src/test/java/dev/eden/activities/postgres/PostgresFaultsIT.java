package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.FenceSweeper;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.RouteState;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Servers that crash, replicators that die, coordinators that die at every step. */
@Order(1) // the longest: others run beside it
class PostgresFaultsIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final long NO_ATTEMPT = -1;

    @Test
    void everyServerMayCrashAtAnyTime() {
        try (var servers = PostgresServers.start(15, 18)) {
            PostgresMigrationIT.schema(servers);
            servers.prepare();
            try (var writers = new Writers(servers, 3)) {
                try (var _ = servers.replicate()) {
                    // While it loads, perhaps.
                    crash(servers, "target");
                    PostgresMigrationIT.awaitStreaming(servers);
                }
                try (var running = servers.replicate()) {
                    PostgresMigrationIT.awaitStreaming(servers);
                    crash(servers, "source");
                    crash(servers, "target");
                    PostgresMigrationIT.awaitStreaming(servers);
                    PostgresMigrationIT.flip(servers, true, 1);
                    // Before a checkpoint wrote how far its slot was: nothing of what came from the source may go back.
                    crash(servers, "target");
                    PostgresMigrationIT.awaitStreaming(servers);
                    PostgresMigrationIT.assertOwner(servers, "target", writers);
                    crash(servers, "source");
                    PostgresMigrationIT.awaitStreaming(servers);
                    PostgresMigrationIT.flip(servers, false, 2);
                    PostgresMigrationIT.assertOwner(servers, "source", writers);
                    PostgresMigrationIT.awaitStreaming(servers);
                    writers.close();
                    PostgresMigrationIT.assertEqualSides(servers);
                    assertThat(running.failure.get()).isNull();
                }
                PostgresMigrationIT.assertHistory(servers, "source", writers);
            }
        }
    }

    private static void crash(PostgresServers servers, String id) {
        servers.server(id).kill();
        servers.server(id).restart();
    }

    /** Dies at the first, second, third … call on store or servers, until an attempt gets through alive. */
    @Test
    void whereverTheCoordinatorDiesAnotherSettlesIt() {
        try (var servers = PostgresServers.start(18, 17)) {
            PostgresMigrationIT.schema(servers);
            servers.prepare();
            try (var _ = servers.replicate()) {
                int deaths = 0;
                long began = System.nanoTime();
                while (true) {
                    RouteLedger.Routes before = row(servers);
                    PostgresMigrationIT.awaitStreaming(servers);
                    AtomicInteger left = new AtomicInteger(deaths);
                    try {
                        AttemptReport alive = dyingCoordinator(servers, left)
                                .attempt(PostgresServers.spec(), before.active().equals("source"), deaths);
                        if (alive.outcome().equals("refused") && System.nanoTime() - began < PATIENCE.toNanos()) {
                            continue; // nothing was begun: the way that the last death took away is not back yet
                        }
                        assertThat(alive.outcome()).as("%s", alive).isEqualTo("committed");
                        assertThat(deaths).isGreaterThan(12);
                        return;
                    } catch (Death _) {
                        deaths++;
                    }
                    PostgresCutover engine = new PostgresCutover(servers, servers.records);
                    AttemptSettler settler = new AttemptSettler(servers.store, engine);
                    RouteLedger.Routes after = settler.settleUntilStable(PostgresServers.MIGRATION);
                    settler.finish(after);
                    assertThat(after.state()).isEqualTo(RouteState.STABLE);
                    assertThat(after.epoch()).as("death %d", deaths).isBetween(before.epoch(), before.epoch() + 1);
                    assertThatThrownBy(() -> servers.application(standby(after)))
                            .as("whoever died left nobody in")
                            .hasMessageMatching("(?s).*(permission denied for database|nobody may connect).*");
                    new FenceSweeper(servers.store, engine).sweep();
                    assertOwner(servers, after.active());
                }
            }
        }
    }

    /** A replicator of an epoch that is over changes nothing any more, whatever it believes. */
    @Test
    void aStalledReplicatorIsLate() {
        try (var servers = PostgresServers.start(17, 16)) {
            PostgresMigrationIT.schema(servers);
            servers.prepare();
            try (var _ = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                PostgresMigrationIT.flip(servers, true, 1);
                EdenObjects names = servers.pair().names();
                try (PostgresSession target = servers.control("target")) {
                    String slot =
                            "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'eden_m1_main'";
                    assertThat(dev.eden.activities.postgres.replication.Appliers.enable(target, names, 0, 0))
                            .isFalse();
                    assertThat(dev.eden.activities.postgres.replication.Appliers.enabled(target, names))
                            .isFalse();
                    assertThat(target.text(slot)).isPresent();
                }
            }
        }
    }

    private static RouteLedger.Routes row(PostgresServers servers) {
        return servers.store.read(PostgresServers.MIGRATION).orElseThrow();
    }

    private static String standby(RouteLedger.Routes row) {
        return row.active().equals("source") ? "target" : "source";
    }

    private static void assertOwner(PostgresServers servers, String owner) {
        String other = owner.equals("source") ? "target" : "source";
        try (Connection connection = servers.application(owner);
                var statement = connection.createStatement()) {
            assertThat(statement.executeUpdate("UPDATE shop.accounts SET balance = balance WHERE id = 1"))
                    .isEqualTo(1);
        } catch (SQLException e) {
            throw new AssertionError("the owner " + owner + " does not serve", e);
        }
        assertThatThrownBy(() -> servers.application(other)).hasMessageContaining("permission denied for database");
    }

    private static final class Death extends Error {}

    private static CutoverCoordinator dyingCoordinator(PostgresServers servers, AtomicInteger left) {
        PostgresCutover engine = new PostgresCutover(servers, servers.records);
        CutoverEngine dyingEngine = new CutoverEngine() {
            @Override
            public String name() {
                return engine.name();
            }

            @Override
            public Session open(String migration, String from, String to, Others others) {
                return dying(Session.class, engine.open(migration, from, to, others), left);
            }

            @Override
            public ActiveSide openActive(String migration, String from, String to, Others others) {
                return dying(ActiveSide.class, engine.openActive(migration, from, to, others), left);
            }
        };
        RouteLedger routes = dying(RouteLedger.class, servers.store, left);
        return new CutoverCoordinator(
                routes, servers.store, dyingEngine, new AttemptSettler(routes, dyingEngine), "test");
    }

    private static <T> T dying(Class<T> type, T real, AtomicInteger left) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (_, method, arguments) -> {
                    // Looking, waiting and rehearsing are no steps; the session's end is part of dying.
                    boolean step =
                            !List.of("close", "changeMark", "awaitChange", "acknowledgements", "rehearse", "read")
                                            .contains(method.getName())
                                    && (arguments == null
                                            || !Arrays.asList(arguments).contains(NO_ATTEMPT));
                    if (step && left.getAndDecrement() == 0) {
                        throw new Death();
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }
}
