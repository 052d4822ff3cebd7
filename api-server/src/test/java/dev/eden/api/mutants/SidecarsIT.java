package dev.eden.api.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.migration.ProxyConnections;
import dev.eden.api.problem.Problem;
import dev.eden.api.rest.ProxyRemoval;
import dev.eden.api.route.SidecarProcess;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.Database;
import dev.eden.api.store.ProxyStore;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.Secret;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * Fifty side-cars, and pods that come and go all the time: flip, rollback and flip end, and nothing is lost, doubled or stale. Clients
 * of side-cars that stay notice nothing; those of one that goes are told by a closed connection between two requests, as a pod's end does. One
 * that is killed is waited for.
 */
@Tag("alone")
class SidecarsIT {
    private static final Logger LOGGER = LoggerFactory.getLogger(SidecarsIT.class);
    private static final int SIDECARS = 50;
    /** Of them; the last ones. A place is left and taken by a new pod, in turn. */
    private static final int RESTLESS = 10;

    private static final Duration BETWEEN_CHANGES = Duration.ofMillis(200);
    private static final int RATE = Integer.getInteger("eden.sidecars.rate", 1_000);
    private static final int MOST_ATTEMPTS = 10;

    @Test
    void podsThatComeAndGoNeitherBlockNorEndangerAMigration() throws Exception {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start();
                Database database = Database.open(
                        Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())));
                StoreChanges changes = new StoreChanges(postgres.jdbcUrl(), login(postgres))) {
            RedisWorld.Ports ports = new RedisWorld.Ports();
            ports.sidecars = SIDECARS;
            ports.clients = 2 * SIDECARS;
            ports.rate = RATE;
            try (RedisWorld world = new RedisWorld(database, changes, ports);
                    Churn churn = new Churn(world, RESTLESS)) {
                world.awaitLoad(RATE);
                for (boolean forward : new boolean[] {true, false, true}) {
                    flip(world, forward);
                    world.awaitLoad(RATE);
                }
                churn.close();
                Judgement judgement = world.judge();
                LOGGER.info(
                        "{} operations/s asked for, {} joined, {} left: {}",
                        RATE,
                        churn.joined,
                        churn.left,
                        judgement.summary());
                assertThat(judgement.verdict().examples()).isEmpty();
                assertThat(judgement.anomalies()).isZero();
                assertThat(judgement.troubles())
                        .as("of clients whose side-car stays")
                        .allMatch(trouble -> trouble.client() % SIDECARS >= SIDECARS - RESTLESS);
                assertThat(judgement.errors()).isZero();
                assertThat(churn.joined.get()).isGreaterThan(5);
                assertThat(churn.left.get()).isGreaterThan(5);
            }
        }
    }

    /**
     * A pod that was killed may be one that is cut off from the store and forwards still: outside of an attempt no lease runs out. So each attempt
     * waits for it in vain and is undone, until somebody who knows says that it is gone.
     */
    @Test
    void aPodThatWasKilledHoldsAFlipUpUntilItIsRemoved(@TempDir Path folder) throws Exception {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start();
                Database database = Database.open(
                        Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())));
                StoreChanges changes = new StoreChanges(postgres.jdbcUrl(), login(postgres))) {
            RedisWorld.Ports ports = new RedisWorld.Ports();
            ports.sidecars = 8;
            try (RedisWorld world = new RedisWorld(database, changes, ports);
                    Churn churn = new Churn(world, 4);
                    SidecarProcess lost = lost(world, postgres, folder);
                    Jedis client = new Jedis("127.0.0.1", lost.port())) {
                world.awaitLoad(1_000);
                for (int i = 1; i <= 100; i++) {
                    assertThat(client.incr("of-the-lost")).isEqualTo(i);
                }
                lost.kill();
                assertThatThrownBy(client::ping).isInstanceOf(JedisConnectionException.class);

                AttemptReport held = world.attempt(true);
                assertThat(held.outcome()).isEqualTo("aborted");
                assertThat(held.blockers())
                        .as("who, and where the remedy is told")
                        .anyMatch(blocker -> blocker.startsWith("no answer (ARMED) from")
                                && blocker.contains("side-car/front")
                                && blocker.endsWith("eden proxy list"));
                ProxyRemoval removal = new ProxyRemoval(
                        new ProxyStore(database.jdbi(), new AuditLog(database.jdbi())),
                        new ProxyConnections(world.direct, world.records)::count);
                await("it has been silent for long enough")
                        .atMost(Duration.ofSeconds(60))
                        .ignoreExceptionsInstanceOf(Problem.class)
                        .untilAsserted(() -> removal.remove("front:side-car", "its node was lost", false, "kim"));

                for (boolean forward : new boolean[] {true, false, true}) {
                    flip(world, forward);
                    world.awaitLoad(1_000);
                }
                churn.close();
                Judgement judgement = world.judge();
                assertThat(judgement.verdict().examples()).isEmpty();
                assertThat(judgement.anomalies()).isZero();
                try (Jedis target = new Jedis("127.0.0.1", world.target.port())) {
                    assertThat(target.get("of-the-lost")).isEqualTo("100");
                }
            }
        }
    }

    /** A real process, beside those that are proxies of this one. */
    private static SidecarProcess lost(RedisWorld world, EmbeddedPostgres store, Path folder) throws IOException {
        world.database.jdbi().useHandle(h -> {
            h.execute(
                    "UPDATE endpoint SET host = '127.0.0.1', port = ? WHERE id = 'source'",
                    world.proxiesToSource.port());
            h.execute(
                    "UPDATE endpoint SET host = '127.0.0.1', port = ? WHERE id = 'target'",
                    world.proxiesToTarget.port());
        });
        return new SidecarProcess(store, world.key, folder);
    }

    /** What the workflow does: an attempt that was aborted is made again. */
    private static void flip(RedisWorld world, boolean forward) {
        List<AttemptReport> attempts = new ArrayList<>();
        do {
            assertThat(attempts).as("every attempt was aborted").hasSizeLessThan(MOST_ATTEMPTS);
            attempts.add(world.attempt(forward));
        } while (!attempts.getLast().outcome().equals("committed"));
        LOGGER.info(
                "{}: committed after {} aborted or refused, {} proxies, pause {} ms {}",
                forward ? "forward" : "rollback",
                attempts.size() - 1,
                attempts.getLast().proxies().size(),
                Objects.requireNonNull(attempts.getLast().pauseMicros()) / 1_000,
                attempts.stream().flatMap(one -> one.blockers().stream()).toList());
        world.awaitReady(!forward);
    }

    private static Properties login(EmbeddedPostgres postgres) {
        Properties properties = new Properties();
        properties.setProperty("user", postgres.user());
        properties.setProperty("password", postgres.password());
        return properties;
    }

    /** One side-car joins or leaves every 200 ms. Starting and draining take their own time, as they do in a cluster. */
    private static final class Churn implements AutoCloseable {
        final AtomicInteger joined = new AtomicInteger();
        final AtomicInteger left = new AtomicInteger();
        private final RedisWorld world;
        private final List<Place> places = new ArrayList<>();
        private final Thread thread;
        private volatile boolean closed;

        /** The last {@code restless} of the world's come and go. */
        Churn(RedisWorld world, int restless) {
            this.world = world;
            List<RedisProxy> all = world.proxies();
            for (RedisProxy proxy : all.subList(all.size() - restless, all.size())) {
                places.add(new Place(proxy, proxy.port()));
            }
            thread = Thread.ofVirtual().start(this::run);
        }

        private void run() {
            try {
                for (int turn = 0; !closed; turn++) {
                    Place place = places.get(turn % places.size());
                    Thread change = place.change;
                    if (change == null || !change.isAlive()) {
                        int number = turn;
                        place.change = Thread.ofPlatform().daemon().start(() -> change(place, number));
                    }
                    Thread.sleep(BETWEEN_CHANGES);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void change(Place place, int turn) {
            RedisProxy running = place.proxy;
            if (running != null) {
                place.proxy = null;
                running.close();
                left.incrementAndGet();
            } else {
                place.proxy = world.proxy("pod-" + turn, place.port);
                joined.incrementAndGet();
            }
        }

        @Override
        public void close() throws InterruptedException {
            if (closed) {
                return;
            }
            closed = true;
            thread.join();
            for (Place place : places) {
                Thread change = place.change;
                if (change != null) {
                    change.join();
                }
                RedisProxy running = place.proxy;
                if (running != null) {
                    running.close();
                }
            }
        }

        private static final class Place {
            private final int port;
            private volatile @Nullable RedisProxy proxy;
            private volatile @Nullable Thread change;

            Place(RedisProxy proxy, int port) {
                this.proxy = proxy;
                this.port = port;
            }
        }
    }
}
