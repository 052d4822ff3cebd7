package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.eden.api.ControlPlanes.Plane;
import dev.eden.api.operations.Project;
import dev.eden.embedded.EmbeddedTemporal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two servers behind a real haproxy with the configuration of infra/haproxy: one of them is killed, and calls and event streams go on. */
@Tag("alone")
class BalancerIT {
    private static final int EACH = 4;

    @TempDir
    private Path directory;

    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean closed;

    @BeforeEach
    void installed() {
        assumeTrue(Project.installed("haproxy"), "haproxy (Debian: haproxy) is not here: nothing is tried behind it");
        assumeTrue(EmbeddedTemporal.devServerBinary().isPresent(), "no Temporal dev server here: infra/temporal/build");
    }

    @Test
    void callsAndEventStreamsGoOnWhenAServerIsKilled() throws Exception {
        try (ControlPlanes world = new ControlPlanes(directory);
                HttpClient http = HttpClient.newHttpClient()) {
            Plane first = world.plane("a");
            Plane second = world.plane("b");
            Haproxy haproxy = world.opened(Haproxy.start(directory, config(first, second), Map.of()));
            Plane both = new Plane(haproxy.process(), haproxy.port(), 0);
            world.call(
                    both,
                    "POST",
                    "/migrations",
                    "{\"id\":\"m\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.3}}",
                    201);

            AtomicInteger answers = new AtomicInteger();
            List<String> failures = new CopyOnWriteArrayList<>();
            List<Reader> readers = new ArrayList<>();
            try {
                for (int i = 0; i < EACH; i++) {
                    readers.add(new Reader(http, both.port()));
                    threads.add(Thread.ofPlatform().daemon().start(() -> {
                        while (!closed) {
                            try {
                                world.status(both);
                                answers.incrementAndGet();
                            } catch (Exception | AssertionError e) {
                                failures.add(e.toString());
                            }
                        }
                    }));
                }
                readers.forEach(
                        reader -> threads.add(Thread.ofPlatform().daemon().start(reader)));
                patch(world, both, 0.1);
                awaitAll(readers, 2);
                assertThat(failures).as("while both are there").isEmpty();

                first.process().kill();
                int before = answers.get();
                patch(world, both, 0.2);
                patch(world, both, 0.4);
                awaitAll(readers, 4);
                await("calls go on").atMost(Duration.ofSeconds(30)).until(() -> answers.get() > before + 100);
            } finally {
                closed = true;
                for (Thread thread : threads) {
                    thread.interrupt();
                    thread.join();
                }
            }

            assertThat(failures)
                    .as("only what was under way, and what is sent to a connection of before")
                    .hasSizeLessThanOrEqualTo(2 * EACH);
            List<Long> written = StreamSupport.stream(
                            world.call(second, "GET", "/migrations/m/events", null, 200)
                                    .path("events")
                                    .spliterator(),
                            false)
                    .map(event -> event.path("id").asLong())
                    .toList();
            assertThat(written).hasSizeGreaterThanOrEqualTo(4);
            assertThat(readers)
                    .as("each event once, in its order")
                    .allSatisfy(reader -> assertThat(reader.seen).isEqualTo(written));
            assertThat(readers.stream().mapToInt(reader -> reader.connected).sum())
                    .as("the killed one had some of them")
                    .isGreaterThan(EACH);
        }
    }

    /** As the balancer's file says it, on this machine's ports. */
    private static String config(Plane first, Plane second) {
        String text = Project.text("infra/haproxy/haproxy.cfg").replace(" check port 8001 ", " check ");
        List<Plane> planes = List.of(first, second);
        for (int i = 0; i < planes.size(); i++) {
            String name = "eden-" + (i + 1);
            text = text.replace(
                    "server " + name + " " + name + ":8000",
                    "server " + name + " 127.0.0.1:" + planes.get(i).port() + " port "
                            + planes.get(i).admin());
        }
        assertThat(text).doesNotContain(":8000\n    server", ":8001");
        return text;
    }

    /** As a caller should: again under the same key until there is an answer. */
    private static void patch(ControlPlanes world, Plane both, double share) {
        String body = "{\"strategy\":{\"type\":\"canary\",\"read_percentage\":" + share + "}}";
        await("it is taken").atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            HttpResponse<String> answer = world.send(both, "PATCH", "/migrations/m", body, "share-" + share);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        });
    }

    private static void awaitAll(List<Reader> readers, int events) {
        await("every reader has them")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(readers)
                        .allSatisfy(reader -> assertThat(reader.seen).hasSizeGreaterThanOrEqualTo(events)));
    }

    /** Follows the events as a browser does: when the stream ends it comes back and names the last one it has seen. */
    private final class Reader implements Runnable {
        final List<Long> seen = new CopyOnWriteArrayList<>();
        volatile int connected;
        private final HttpClient http;
        private final int port;

        Reader(HttpClient http, int port) {
            this.http = http;
            this.port = port;
        }

        @Override
        public void run() {
            while (!closed) {
                HttpRequest.Builder request = HttpRequest.newBuilder(
                                URI.create("http://127.0.0.1:" + port + "/api/v1/migrations/m/events"))
                        .header("Authorization", "Bearer " + ControlPlanes.TOKEN)
                        .header("Accept", "text/event-stream");
                if (!seen.isEmpty()) {
                    request.header("Last-Event-ID", String.valueOf(seen.getLast()));
                }
                try (Stream<String> lines = http.send(request.build(), HttpResponse.BodyHandlers.ofLines())
                        .body()) {
                    connected++;
                    Iterator<String> each = lines.iterator();
                    while (each.hasNext()) {
                        String line = each.next();
                        if (line.startsWith("id: ")) {
                            seen.add(Long.parseLong(line.substring(4)));
                        }
                    }
                } catch (IOException | UncheckedIOException e) {
                    // The server is gone: the other one goes on.
                } catch (InterruptedException e) {
                    return;
                }
            }
        }
    }
}
