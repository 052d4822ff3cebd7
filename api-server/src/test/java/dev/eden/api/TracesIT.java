package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.api.SpanCollector.Span;
import dev.eden.embedded.EmbeddedRedis;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What a collector of OTLP gets of a rehearsal and a flip of real servers: one trace each, from the request to each proxy's part. */
@Isolated("it has two servers and two proxies")
class TracesIT {
    private static final String ID = "traced";
    private static final String CALLER = "4bf92f3577b34da6a3ce929d0e0e4736";

    @Test
    void aRehearsalAndAFlipAreOneTraceEach() throws Exception {
        try (ListenedEden eden = ListenedEden.start(ServerOptions.Front.redis(new InetSocketAddress("127.0.0.1", 0)));
                EmbeddedRedis source = EmbeddedRedis.start();
                EmbeddedRedis target = EmbeddedRedis.start()) {
            eden.post("/endpoints", "{\"id\":\"old\",\"uri\":\"" + source.uri() + "\"}", 201);
            eden.post("/endpoints", "{\"id\":\"new\",\"uri\":\"" + target.uri() + "\"}", 201);
            eden.post(
                    "/migrations",
                    "{\"id\":\"" + ID + "\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0},"
                            + "\"failure_handling\":\"needs_operator\",\"cutover\":{\"deadline_ms\":3000}}",
                    201);
            eden.post("/migrations/" + ID + "/interlay/redis_interlay", "{\"endpoint\":\"new\"}", 200);
            eden.post("/migrations/" + ID + "/migrate", null, 202);
            eden.awaitPhase(ID, "canary");
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> eden.send("GET", "/migrations/" + ID + "/status", null, 200)
                            .path("ready_for_cutover")
                            .asBoolean());
            eden.post("/migrations/" + ID + "/rehearse", null, 200);
            assertThat(eden.ask(eden.request("/migrations/" + ID + "/cutover")
                                    .header("Content-Type", "application/json")
                                    .header("traceparent", "00-" + CALLER + "-00f067aa0ba902b7-01")
                                    .POST(java.net.http.HttpRequest.BodyPublishers.noBody()))
                            .statusCode())
                    .isEqualTo(202);
            eden.awaitPhase(ID, "baking");
            eden.post("/migrations/" + ID + "/finalize", null, 202);
            eden.awaitPhase(ID, "completed");
            await("spans are sent every five seconds")
                    .atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(names(eden.spans.spans())).contains("Migration", "Rehearsal"));

            List<Span> all = eden.spans.spans();
            Span request = one(all, "POST /migrations/{id}/cutover");
            assertThat(request.trace()).as("the caller's trace").isEqualTo(CALLER);
            assertThat(request.parent()).isEqualTo("00f067aa0ba902b7");
            List<Span> flip = in(all, CALLER);
            Span command = one(flip, "Migration.cutover");
            assertThat(command.parent()).isEqualTo(request.id());
            Span commit = one(flip, "cutover.commit");
            assertThat(flip)
                    .as("an attempt that was called off may be there besides")
                    .filteredOn(span -> span.name().equals("Attempt"))
                    .allSatisfy(attempt -> assertThat(attempt.parent()).isEqualTo(command.id()))
                    .extracting(Span::id)
                    .contains(commit.parent());
            assertThat(flip)
                    .as("of the proxy inside and of the one beside")
                    .filteredOn(span ->
                            span.name().equals("proxy.open") && span.parent().equals(commit.parent()))
                    .hasSize(2);

            Span rehearsal = one(all, "Rehearsal");
            assertThat(rehearsal.parent())
                    .isEqualTo(one(all, "POST /migrations/{id}/rehearse").id());
            assertThat(one(in(all, rehearsal.trace()), "cutover.prepare").parent())
                    .isEqualTo(rehearsal.id());

            Span run = one(all, "Migration");
            assertThat(run.parent())
                    .isEqualTo(one(all, "POST /migrations/{id}/migrate").id());
            assertThat(one(all, "Preflight").parent()).isEqualTo(run.id());
        }
    }

    private static List<Span> in(List<Span> spans, String trace) {
        return spans.stream().filter(span -> span.trace().equals(trace)).toList();
    }

    private static List<String> names(List<Span> spans) {
        return spans.stream().map(Span::name).toList();
    }

    private static Span one(List<Span> spans, String name) {
        List<Span> found =
                spans.stream().filter(span -> span.name().equals(name)).toList();
        assertThat(found).as(name + " among " + names(spans)).hasSize(1);
        return found.getFirst();
    }
}
