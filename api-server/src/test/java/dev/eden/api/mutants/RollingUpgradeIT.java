package dev.eden.api.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.Database;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.Secret;
import dev.eden.proxy.WireVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proxies that speak the oldest wire version are replaced one by one by those of now, between and during attempts: flip, rollback and flip
 * end, and nothing is lost, doubled or stale. Both are this build's code; {@code docs/rolling-upgrade.sh} does it with a build of a former revision.
 */
class RollingUpgradeIT {
    private static final Logger LOGGER = LoggerFactory.getLogger(RollingUpgradeIT.class);
    private static final int PROXIES = 4;
    private static final int MOST_ATTEMPTS = 10;

    @Test
    void proxiesOfTwoVersionsServeOneMigration() throws Exception {
        Properties login = new Properties();
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start();
                Database database = Database.open(
                        Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())))) {
            login.setProperty("user", postgres.user());
            login.setProperty("password", postgres.password());
            RedisWorld.Ports ports = new RedisWorld.Ports();
            ports.sidecars = PROXIES;
            ports.wire = WireVersion.OLDEST;
            List<RedisProxy> replacements = new ArrayList<>();
            try (StoreChanges changes = new StoreChanges(postgres.jdbcUrl(), login);
                    RedisWorld world = new RedisWorld(database, changes, ports)) {
                try {
                    world.awaitLoad(500);
                    assertThat(wires(database)).containsExactly(1, 1, 1, 1);
                    flip(world, true);
                    ports.wire = WireVersion.NEWEST;
                    replacements.add(replaced(world, 0));
                    assertThat(wires(database)).containsExactly(2, 1, 1, 1);

                    for (int turn = 1; turn < PROXIES; turn++) {
                        boolean forward = turn % 2 == 0;
                        int place = turn;
                        CompletableFuture<RedisProxy> meanwhile =
                                CompletableFuture.supplyAsync(() -> replaced(world, place));
                        flip(world, forward);
                        replacements.add(meanwhile.get());
                        world.awaitLoad(500);
                    }

                    assertThat(wires(database)).containsExactly(2, 2, 2, 2);
                    Judgement judgement = world.judge();
                    LOGGER.info("{}", judgement.summary());
                    assertThat(judgement.verdict().examples()).isEmpty();
                    assertThat(judgement.anomalies()).isZero();
                    assertThat(judgement.errors())
                            .as("clients of a proxy that ends have a closed connection and no error")
                            .isZero();
                } finally {
                    replacements.forEach(RedisProxy::close);
                }
            }
        }
    }

    /** Ends a proxy as SIGTERM does, and starts one of now under its name and port. */
    private static RedisProxy replaced(RedisWorld world, int place) {
        RedisProxy old = world.proxies().get(place);
        int port = old.port();
        old.close();
        return world.proxy("p" + (place + 1), port);
    }

    /** What the workflow does: an attempt that was aborted is made again. */
    private static void flip(RedisWorld world, boolean forward) {
        List<AttemptReport> attempts = new ArrayList<>();
        do {
            assertThat(attempts).as("every attempt was aborted").hasSizeLessThan(MOST_ATTEMPTS);
            attempts.add(world.attempt(forward));
        } while (!attempts.getLast().outcome().equals("committed"));
        LOGGER.info(
                "{}: committed after {} aborted or refused, pause {} ms",
                forward ? "forward" : "rollback",
                attempts.size() - 1,
                Objects.requireNonNull(attempts.getLast().pauseMicros()) / 1_000);
        world.awaitReady(!forward);
    }

    private static List<Integer> wires(Database database) {
        return database.jdbi()
                .withHandle(h -> h.createQuery("SELECT wire FROM proxy ORDER BY name")
                        .mapTo(Integer.class)
                        .list());
    }
}
