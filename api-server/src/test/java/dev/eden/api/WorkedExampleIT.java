package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.operations.Documents;
import dev.eden.api.operations.Documents.Block;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The worked example of docs/api.md: its blocks in its order, pasted into bash; then the way to the end. */
class WorkedExampleIT {
    private static TestServer eden;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    @Test
    void everyRequestWorksAsPrinted(@TempDir Path folder) throws Exception {
        List<Block> requests = Documents.runBy("WorkedExampleIT", "docs/api.md");
        assertThat(requests).hasSize(12);
        Pasted shell = new Pasted(folder, Map.of("EDEN", eden.uri("/api/v1").toString(), "TOKEN", TestServer.TOKEN));

        Pasted.Answer source = send(shell, requests.get(0));
        assertThat(source.status()).as(source.body()).isEqualTo(201);
        assertThat(eden.get("/api/v1/interlays/redis_interlay")
                        .json()
                        .path("endpoint")
                        .asText())
                .isEqualTo("ec2_redis");
        assertThat(send(shell, requests.get(1)).status()).isEqualTo(201);
        assertThat(eden.get("/api/v1/interlays/redis_interlay")
                        .json()
                        .path("endpoint")
                        .asText())
                .as("a bound interlay stays bound")
                .isEqualTo("ec2_redis");
        Pasted.Answer created = send(shell, requests.get(2));
        assertThat(created.status()).as(created.body()).isEqualTo(201);
        assertThat(created.json().path("phase").asText()).isEqualTo("created");

        JsonNode withInterlay = send(shell, requests.get(3)).json();
        assertThat(withInterlay.path("source_endpoint").asText()).isEqualTo("ec2_redis");
        assertThat(withInterlay.path("target_endpoint").asText()).isEqualTo("azure_redis");
        assertThat(withInterlay.path("allowed").toString()).isEqualTo("[\"migrate\"]");

        CompletableFuture<?> first = new CompletableFuture<>();
        CompletableFuture<List<String>> events = eventsUntilEnd(first);
        assertThat(first)
                .as("the first event is read before the second one is made")
                .succeedsWithin(Duration.ofSeconds(10));
        Pasted.Answer started = send(shell, requests.get(4));
        assertThat(started.status()).as(started.body()).isEqualTo(202);
        assertThat(send(shell, requests.get(5)).status()).isEqualTo(200);
        awaitPhase("canary");

        Pasted.Answer quarter = send(shell, requests.get(6));
        assertThat(quarter.status()).as(quarter.body()).isEqualTo(202);
        await().untilAsserted(() -> assertThat(eden.activities.shares).contains(0.25));
        assertThat(send(shell, requests.get(7)).status()).isEqualTo(202);
        await().untilAsserted(() -> assertThat(eden.activities.shares).contains(0.75));
        await().untilAsserted(() -> assertThat(
                        status().path("canary").path("read_percentage").asDouble())
                .isEqualTo(0.75));

        Pasted.Answer cutover = send(shell, requests.get(8));
        assertThat(cutover.status()).as(cutover.body()).isEqualTo(202);
        awaitPhase("baking");
        JsonNode verified = send(shell, requests.get(9)).json();
        assertThat(verified.path("phase").asText()).isEqualTo("baking");
        assertThat(verified.path("flips").asInt()).isEqualTo(1);

        JsonNode status = send(shell, requests.get(10)).json();
        assertThat(status.has("replication_lag_ms")).isTrue();
        assertThat(status.path("source").asText()).isEqualTo("unreachable");
        assertThat(status.path("target").asText()).isEqualTo("unreachable");
        assertThat(status.path("ready_for_cutover").isBoolean()).isTrue();
        assertThat(status.path("blockers").isArray()).isTrue();
        assertThat(status.path("links").path("temporal_ui").asText())
                .isEqualTo("http://temporal-ui/namespaces/default/workflows/migration%2Fec2_to_azure");

        Pasted.Answer rollback = send(shell, requests.get(11));
        assertThat(rollback.status()).as(rollback.body()).isEqualTo(202);
        awaitPhase("canary");

        assertThat(eden.post("/api/v1/migrations/ec2_to_azure/cutover", "{\"reason\":\"again\"}")
                        .status())
                .isEqualTo(202);
        awaitPhase("baking");
        assertThat(eden.post("/api/v1/migrations/ec2_to_azure/finalize", null).status())
                .isEqualTo(202);
        awaitPhase("completed");
        // The phase may be shown a moment before all that it means is recorded.
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(eden.get("/api/v1/interlays/redis_interlay")
                                .json()
                                .path("endpoint")
                                .asText())
                        .isEqualTo("azure_redis"));
        TestServer.Answer late = eden.post("/api/v1/migrations/ec2_to_azure/cutover", null);
        assertThat(late.status()).isEqualTo(409);
        assertThat(late.json().path("type").asText()).isEqualTo("urn:eden:problem:migration-ended");
        assertThat(events)
                .succeedsWithin(Duration.ofSeconds(10))
                .satisfies(lines ->
                        assertThat(lines).contains("event: migration.created", "event: command.cutover", "event: end"));
        JsonNode log = eden.get("/api/v1/migrations/ec2_to_azure/events?limit=1000")
                .json()
                .path("events");
        assertThat(log.findValuesAsText("event"))
                .contains("migration.started", "command.patch_strategy", "command.finalize");
        assertThat(log.findValuesAsText("reason")).contains("again");
        theReportTellsTheWay();
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/endpoints/ec2_redis", null)
                        .status())
                .as("the former source is free")
                .isEqualTo(204);
        eden.activities.duringPreflight.set(() -> {
            throw new NoSuchElementException("endpoint ec2_redis");
        });
        TestServer.Answer plan = eden.get("/api/v1/migrations/ec2_to_azure/plan");
        assertThat(plan.status()).as(plan.body()).isEqualTo(200);
        assertThat(plan.json().path("startable").asBoolean()).isFalse();
        assertThat(plan.json().path("findings")).isEmpty();
    }

    private static void theReportTellsTheWay() {
        String path = "/api/v1/migrations/ec2_to_azure/report";
        JsonNode report = eden.get(path).json();
        assertThat(report.path("phases").findValuesAsText("phase"))
                .startsWith("created")
                .containsSubsequence("canary", "cutting_over", "baking", "rolling_back", "canary", "baking")
                .endsWith("completed");
        assertThat(report.at("/phases/0/millis").isIntegralNumber()).isTrue();
        assertThat(report.at("/forecast/pause_at_most_ms").asLong()).isEqualTo(100);
        assertThat(report.at("/outcome/flips").asInt()).isPositive();
        TestServer.Answer markdown = eden.send(TestServer.TOKEN, "GET", path, null, "Accept", "text/markdown");
        assertThat(markdown.body())
                .startsWith("# Migration ec2\\_to\\_azure\n")
                .contains("| pause | at most 100 ms |")
                .contains("| completed |");
    }

    private static Pasted.Answer send(Pasted shell, Block request) throws Exception {
        Pasted.Answer answer = shell.curl(request.text());
        assertThat(answer.status()).as(request + ": " + answer.body()).isBetween(200, 299);
        return answer;
    }

    private static JsonNode status() {
        return eden.get("/api/v1/migrations/ec2_to_azure/status").json();
    }

    private static void awaitPhase(String phase) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(status().path("phase").asText()).isEqualTo(phase));
    }

    private static CompletableFuture<List<String>> eventsUntilEnd(CompletableFuture<?> first) {
        HttpRequest request = HttpRequest.newBuilder(eden.uri("/api/v1/migrations/ec2_to_azure/events"))
                .header("Authorization", "Bearer " + TestServer.TOKEN)
                .header("Accept", "text/event-stream")
                .build();
        return eden.http()
                .sendAsync(request, HttpResponse.BodyHandlers.ofLines())
                .thenApplyAsync(response -> {
                    assertThat(response.headers().map()).containsEntry("content-type", List.of("text/event-stream"));
                    try (Stream<String> lines = response.body()) {
                        return lines.filter(line -> line.startsWith("event: "))
                                .peek(_ -> first.complete(null))
                                .toList();
                    }
                });
    }
}
