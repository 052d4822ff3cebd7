package dev.eden.api.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.Database;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.Secret;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fifty side-cars, and pods that come and go all the time: flip, rollback and flip end, and nothing is lost, doubled or stale. Clients
 * of side-cars that stay notice nothing; those of one that goes are told by a closed connection between two requests, as a pod's end does.
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
                    Churn churn = new Churn(world)) {
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
                attempts.getLast().pauseMicros() / 1_000,
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

        Churn(RedisWorld world) {
            this.world = world;
            for (RedisProxy proxy : world.proxies().subList(SIDECARS - RESTLESS, SIDECARS)) {
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
