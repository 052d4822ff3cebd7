package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.embedded.EmbeddedRedis;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisDataException;

/** A canary's target really refuses reads: by itself the migration takes them back, and what it saw stands in its events, its status and the metrics. */
class GateBreachIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int KEYS = 500;
    /** Eden fences nobody who is called like one of its own. */
    private static final String TESTER = "eden-of-the-test";

    private static final Pattern NUMBERS = Pattern.compile(
            "max_error_rate: (\\d+) of (\\d+) reads on the target failed \\((\\d\\.\\d{4})\\), the gate is 0\\.0100");

    private TestServer eden;
    private EmbeddedRedis source;
    private EmbeddedRedis target;
    private EdenProxy proxy;

    @BeforeEach
    void start() {
        eden = TestServer.startWithRealActivities();
        source = EmbeddedRedis.start();
        target = EmbeddedRedis.start();
        created("/api/v1/endpoints", "{\"id\":\"old\",\"uri\":\"" + source.uri() + "\"}");
        created("/api/v1/endpoints", "{\"id\":\"new\",\"uri\":\"" + target.uri() + "\"}");
        proxy = EdenProxy.start(new EdenProxy.Options(
                "p1",
                "redis_interlay",
                new InetSocketAddress("127.0.0.1", 0),
                0,
                "127.0.0.1",
                0,
                Duration.ZERO,
                eden.store()));
        try (Jedis jedis = new Jedis("127.0.0.1", source.port())) {
            for (int i = 0; i < KEYS; i++) {
                jedis.set("key:" + i, "value");
            }
        }
    }

    @AfterEach
    void stop() throws Exception {
        proxy.close();
        eden.close();
        source.close();
        target.close();
    }

    @ParameterizedTest
    @CsvSource({"hold, canary", "rollback, rolled_back"})
    void readsGoBackToTheSource(String onBreach, String phase) {
        created("/api/v1/migrations", """
            {"id": "m", "strategy": {"type": "canary", "read_percentage": 0.5},
             "gates": {"max_error_rate": 0.01, "max_lag_ms": 5000, "min_samples": 50, "on_breach": "%s"}}\
            """.formatted(onBreach));
        assertThat(eden.post("/api/v1/migrations/m/interlay/redis_interlay", "{\"endpoint\":\"new\"}")
                        .status())
                .isEqualTo(200);
        try (Jedis tester = new Jedis("127.0.0.1", target.port());
                Reader reader = new Reader(proxy.port())) {
            tester.aclSetUser(TESTER, "on", ">secret", "~*", "&*", "+@all");
            tester.auth(TESTER, "secret");
            assertThat(eden.post("/api/v1/migrations/m/migrate", null).status()).isEqualTo(202);
            awaitPhase("canary");
            await("the target serves reads").atMost(PATIENCE).until(() -> canaryReads() > 100);
            assertThat(events("gate_breached")).as("it serves them well").isEmpty();

            tester.aclSetUser("eden-proxy-m", "-get");
            await("the breach")
                    .atMost(PATIENCE)
                    .until(() -> !events("gate_breached").isEmpty());
            awaitPhase(phase);

            assertThat(events("gate_breached")).singleElement().satisfies(event -> {
                Matcher numbers = numbers(event);
                long reads = Long.parseLong(numbers.group(2));
                assertThat(failed(event)).isPositive().isLessThanOrEqualTo(reads);
                assertThat(reads).isGreaterThanOrEqualTo(50);
                assertThat(Double.parseDouble(numbers.group(3))).isGreaterThan(0.01);
                assertThat(event.path("actor").asText()).isEqualTo("eden");
            });
            assertThat(eden.get("/api/v1/audit/verify").json().path("intact").asBoolean())
                    .isTrue();
            assertThat(eden.details("m"))
                    .contains("[Status in Eden](<https://eden.example/api/v1/migrations/m/status>)");
            if (onBreach.equals("hold")) {
                assertThat(status().path("last_reason").asText()).contains("reads on the target failed");
                assertThat(eden.details("m"))
                        .containsPattern("\\n- lag: \\d+ ms at 20")
                        .contains("reads on the target failed");
                await("no reads for the target")
                        .atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(
                                        status().at("/canary/read_percentage").asDouble(-1))
                                .isZero());
            }
            long failed = failed(events("gate_breached").getFirst());
            await("the errors stand in the metrics")
                    .atMost(PATIENCE)
                    .until(() -> scraped("eden_errors_total") >= failed);

            long before = reader.answered.get();
            await("clients read on").atMost(PATIENCE).until(() -> reader.answered.get() > before + 500);
            assertThat(reader.refused.get())
                    .as("what the target refused the source has answered")
                    .isZero();
        }
    }

    /** It waited without a word, and a ratio of nothing would have passed. */
    @Test
    void aStageShortOfSamplesSaysSoAndPassesOnceTheyCome() {
        created("/api/v1/migrations", """
            {"id": "m", "strategy": {"type": "canary", "stages": [{"read_percentage": 0.5, "bake": "1s"}, {"read_percentage": 0.6, "bake": "0s"}]},
             "gates": {"max_error_rate": 0.01, "max_latency_ratio": 1000, "max_lag_ms": 5000, "min_samples": 50}}\
            """);
        assertThat(eden.post("/api/v1/migrations/m/interlay/redis_interlay", "{\"endpoint\":\"new\"}")
                        .status())
                .isEqualTo(200);
        assertThat(eden.post("/api/v1/migrations/m/migrate", null).status()).isEqualTo(202);
        await("it waits").atMost(PATIENCE).until(() -> !events("stage_waits").isEmpty());
        assertThat(events("stage_waits"))
                .singleElement()
                .satisfies(event -> assertThat(event.path("reason").asText())
                        .contains("waits for samples: 0 of 50 reads", "p99 needs 50 reads"));
        assertThat(status().at("/canary/bake/over").asBoolean()).isTrue();
        assertThat(status().at("/canary/bake/seen/missing/0").asText()).isEqualTo("0 of 50 reads");
        try (Reader reader = new Reader(proxy.port())) {
            await("it passes")
                    .atMost(PATIENCE)
                    .until(() -> !events("stage_promoted").isEmpty());
            assertThat(reader.refused.get()).isZero();
        }
        assertThat(events("stage_promoted").getFirst().path("reason").asText())
                .contains("in the worst window p99 over about 5 s at proxy redis_interlay:p1", "the gate is 1000.00");
        assertThat(events("stage_waits")).hasSize(1);
        assertThat(status().path("canary").path("bake").isNull()).isTrue();
    }

    private static Matcher numbers(JsonNode event) {
        Matcher numbers = NUMBERS.matcher(event.path("reason").asText());
        assertThat(numbers.find()).as(event.toString()).isTrue();
        return numbers;
    }

    private static long failed(JsonNode event) {
        return Long.parseLong(numbers(event).group(1));
    }

    private void created(String path, String body) {
        TestServer.Answer answer = eden.post(path, body);
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    }

    private JsonNode status() {
        return eden.get("/api/v1/migrations/m/status").json();
    }

    private void awaitPhase(String phase) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(status().path("phase").asText())
                        .as(status().toString())
                        .isEqualTo(phase));
    }

    private List<JsonNode> events(String name) {
        return eden.events("m", name);
    }

    private double canaryReads() {
        return scraped("eden_canary_reads_total");
    }

    /** The sum over all labels. */
    private double scraped(String metric) {
        try {
            return eden.http()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + proxy.metricsPort() + "/metrics"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body()
                    .lines()
                    .filter(line -> line.startsWith(metric + "{") || line.startsWith(metric + " "))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** A client that reads all the time, whatever it is told. */
    private static final class Reader implements AutoCloseable {
        final AtomicLong answered = new AtomicLong();
        final AtomicLong refused = new AtomicLong();
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean closed;

        Reader(int port) {
            for (int i = 0; i < 4; i++) {
                threads.add(Thread.ofPlatform().daemon().start(() -> {
                    try (Jedis jedis = new Jedis("127.0.0.1", port, 20_000)) {
                        for (int key = 0; !closed; key = (key + 1) % KEYS) {
                            try {
                                jedis.get("key:" + key);
                                answered.incrementAndGet();
                            } catch (JedisDataException told) {
                                refused.incrementAndGet();
                            }
                        }
                    }
                }));
            }
        }

        @Override
        public void close() {
            closed = true;
            try {
                for (Thread thread : threads) {
                    thread.join();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
