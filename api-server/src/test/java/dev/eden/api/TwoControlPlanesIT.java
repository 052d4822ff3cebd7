package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.ControlPlanes.Plane;
import dev.eden.embedded.EmbeddedTemporal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.Jedis;

/**
 * Two servers on one store and one Temporal: one of them is killed where it copies, where it watches the canary, and in the middle of a flip. The
 * migration goes on, the API works through the other, and an application behind the proxy notices nothing.
 */
@Tag("alone")
class TwoControlPlanesIT {
    private static final int KEYS = 20_000;
    private static final int VALUE_BYTES = 500;

    /** Some ten seconds of copying. */
    private static final int COPY_RATE = KEYS * VALUE_BYTES / 10;

    private static final int CLIENTS = 4;
    /** A token has so many requests a second. */
    private static final long BETWEEN_CALLS_NANOS = 20_000_000;

    @TempDir
    private Path directory;

    @BeforeEach
    void durable() {
        assumeTrue(EmbeddedTemporal.devServerBinary().isPresent(), "no Temporal dev server here: infra/temporal/build");
    }

    @Test
    void eitherMayDieAndTheMigrationGoesOn() throws Exception {
        try (ControlPlanes world = new ControlPlanes(directory)) {
            world.fill(KEYS, VALUE_BYTES);
            Plane first = world.plane("a");
            Plane second = world.plane("b");
            Application application =
                    world.opened(new Application(world.proxy(first, second).port()));

            create(world, first, second);
            world.call(first, "PATCH", "/migrations/m", "{\"tuning\":{\"copy_rate\":" + COPY_RATE + "}}", 0);
            world.call(second, "POST", "/migrations/m/migrate", "{}", 202);

            await("the copy has begun")
                    .atMost(Duration.ofSeconds(40))
                    .until(() -> world.status(first).at("/progress/keys_done").asLong() > 500);
            Plane survivor = killTheOneThatRuns("Replicate", world, first, second);
            assertThat(world.status(survivor).path("phase").asText()).isIn("initializing", "replicating");
            world.call(survivor, "PATCH", "/migrations/m", "{\"tuning\":{\"copy_rate\":null}}", 0);
            world.awaitPhase(survivor, "canary");

            Plane third = world.plane("c");
            await("somebody watches the canary")
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> world.worker("Watch").isPresent());
            survivor = killTheOneThatRuns("Watch", world, survivor, third);
            assertThat(world.status(survivor).path("phase").asText()).isEqualTo("canary");
            world.cutOver(survivor);
            endsWell(world, survivor, application);
            try (Jedis jedis = new Jedis("127.0.0.1", world.target.port())) {
                assertThat(jedis.dbSize()).isEqualTo(KEYS + CLIENTS);
            }
        }
    }

    /** Before the commit the flip is undone and made again, after it the other server takes it to its end. */
    @ParameterizedTest
    @CsvSource({"cutover.commit, true", "cutover.unfence, false"})
    void theOneThatFlipsMayDieInTheMiddle(String place, boolean undone) throws Exception {
        try (ControlPlanes world = new ControlPlanes(directory)) {
            world.fill(500, 100);
            Plane first = world.plane("a");
            Plane second = world.plane("b");
            Application application =
                    world.opened(new Application(world.proxy(first, second).port()));
            create(world, first, second);
            world.call(second, "POST", "/migrations/m/migrate", "{}", 202);
            world.awaitPhase(first, "canary");
            List<Caller> callers =
                    List.of(world.opened(new Caller(world, first)), world.opened(new Caller(world, second)));

            world.killAt(place);
            world.cutOver(first);
            await("one of them is gone")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> callers.stream()
                            .anyMatch(caller -> !caller.plane.process().isAlive()));
            assertThat(world.reached(place)).isTrue();
            Caller other = callers.stream()
                    .filter(caller -> caller.plane.process().isAlive())
                    .findFirst()
                    .orElseThrow();
            long answered = other.answers.get();
            application.awaitMore(1_000);
            world.awaitPhase(other.plane, "baking");

            JsonNode status = world.status(other.plane);
            assertThat(status.path("active").asText()).as(status.toString()).isEqualTo("new");
            assertThat(status.path("epoch").asLong())
                    .as("it has moved once: %s", status)
                    .isEqualTo(2);
            // On a busy machine others may have been undone before it, and after it.
            List<JsonNode> lost = StreamSupport.stream(status.path("attempts").spliterator(), false)
                    .filter(attempt -> attempt.at("/report/settled").asBoolean())
                    .toList();
            assertThat(lost).as("told by the survivor: %s", status).hasSize(1);
            assertThat(lost.getFirst().path("outcome").asText())
                    .as("told by the survivor: %s", status)
                    .isEqualTo(undone ? "aborted" : "committed");
            assertThat(ended(status, "committed")).as(status.toString()).isEqualTo(1);
            JsonNode outcome = world.call(other.plane, "GET", "/migrations/m/report", null, 200)
                    .path("outcome");
            assertThat(outcome.path("pauses")).as(outcome.toString()).hasSize(1);
            assertThat(outcome.path("attempts").asInt())
                    .isEqualTo(status.path("attempts").size());
            endsWell(world, other.plane, application);
            other.close();
            assertThat(other.failure.get())
                    .as("what the survivor did not answer")
                    .isNull();
            assertThat(other.answers.get()).isGreaterThan(answered);
        }
    }

    private static long ended(JsonNode status, String outcome) {
        return StreamSupport.stream(status.path("attempts").spliterator(), false)
                .filter(attempt -> attempt.path("outcome").asText().equals(outcome))
                .count();
    }

    private static void create(ControlPlanes world, Plane one, Plane other) throws Exception {
        world.call(
                one,
                "POST",
                "/migrations",
                "{\"id\":\"m\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.3},\"cutover\":{\"deadline_ms\":2000}}",
                201);
        world.call(other, "POST", "/migrations/m/interlay/front", "{\"endpoint\":\"new\"}", 200);
    }

    /** To the end, and every write that was acknowledged is on the new side, once. */
    private static void endsWell(ControlPlanes world, Plane survivor, Application application) throws Exception {
        world.awaitPhase(survivor, "baking");
        world.call(survivor, "POST", "/migrations/m/finalize", "{}", 202);
        world.awaitPhase(survivor, "completed");
        application.close();
        assertThat(application.failure.get()).isNull();
        assertThat(application.total()).isGreaterThan(100);
        try (Jedis jedis = new Jedis("127.0.0.1", world.target.port())) {
            for (int client = 0; client < CLIENTS; client++) {
                assertThat(Long.parseLong(jedis.get("counter:" + client)))
                        .as("every write once, on the new side")
                        .isEqualTo(application.acknowledged.get(client).get());
            }
        }
        assertThat(world.call(survivor, "GET", "/audit/verify", null, 200)
                        .path("intact")
                        .asBoolean())
                .isTrue();
    }

    /** Kills the process whose worker has the activity; answers the other one. */
    private static Plane killTheOneThatRuns(String activity, ControlPlanes world, Plane one, Plane other) {
        long pid = world.worker(activity).orElseThrow();
        assertThat(pid).isIn(one.process().pid(), other.process().pid());
        Plane dies = pid == one.process().pid() ? one : other;
        dies.process().kill();
        return dies == one ? other : one;
    }

    /** Each client counts in a key of its own, and notes whatever goes wrong. */
    private static final class Application implements AutoCloseable {
        final List<AtomicLong> acknowledged = new ArrayList<>();
        final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean closed;

        Application(int port) {
            for (int client = 0; client < CLIENTS; client++) {
                String counter = "counter:" + client;
                AtomicLong count = new AtomicLong();
                acknowledged.add(count);
                threads.add(Thread.ofPlatform().daemon().start(() -> count(port, counter, count)));
            }
        }

        private void count(int port, String counter, AtomicLong count) {
            try (Jedis jedis = new Jedis("127.0.0.1", port, 20_000)) {
                while (!closed) {
                    jedis.incr(counter);
                    count.incrementAndGet();
                    jedis.get("key:" + count.get() % KEYS);
                }
            } catch (Exception e) {
                failure.set(e);
            }
        }

        long total() {
            return acknowledged.stream().mapToLong(AtomicLong::get).sum();
        }

        void awaitMore(long writes) {
            long goal = total() + writes;
            await("the application writes on").atMost(Duration.ofSeconds(60)).until(() -> total() >= goal);
        }

        @Override
        public void close() throws InterruptedException {
            closed = true;
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    /** Asks one server for the status all the time. */
    private static final class Caller implements AutoCloseable {
        final Plane plane;
        final AtomicLong answers = new AtomicLong();
        final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final Thread thread;
        private volatile boolean closed;

        Caller(ControlPlanes world, Plane plane) {
            this.plane = plane;
            thread = Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (!closed) {
                        world.status(plane);
                        answers.incrementAndGet();
                        LockSupport.parkNanos(BETWEEN_CALLS_NANOS);
                    }
                } catch (Exception | AssertionError e) {
                    failure.set(e);
                }
            });
        }

        @Override
        public void close() throws InterruptedException {
            closed = true;
            thread.join();
        }
    }
}
