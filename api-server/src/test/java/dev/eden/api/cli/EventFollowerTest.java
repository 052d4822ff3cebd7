package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Events over connections that break: each once, to the end or to an exit code that says why not. */
class EventFollowerTest {
    private static final String SEVEN =
            ": events\n\nid: 7\nevent: command.cutover\ndata: {\"id\":7,\"event\":\"command.cutover\"}\n\n";
    private static final String HALF_OF_EIGHT = "id: 8\nevent: flipped\ndata: {\"id\":8,\"event\":\"flipped\"}\n";
    private static final String END = "event: end\ndata: {}\n\n";

    private final List<String> known = new CopyOnWriteArrayList<>();
    private final AtomicInteger calls = new AtomicInteger();
    private HttpServer server;

    @TempDir
    private Path home;

    private interface Answer {
        void to(int call, HttpExchange exchange) throws IOException;
    }

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void goesOnBehindTheLastWholeEvent() {
        FakeTerminal.Result result = follow((call, exchange) -> {
            switch (call) {
                case 1 -> broken(exchange, SEVEN + HALF_OF_EIGHT);
                case 2 -> problem(exchange, 503);
                case 3 -> problem(exchange, 429);
                default -> whole(exchange, HALF_OF_EIGHT + "\n" + END);
            }
        });
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out().lines())
                .extracting(line -> line.replaceAll("\\D", ""))
                .containsExactly("7", "8");
        assertThat(known).containsExactly("null", "7", "7", "7");
        assertThat(result.err().lines())
                .as("said once")
                .singleElement()
                .asString()
                .contains("connecting again");
    }

    /** A server that goes ends its streams in order. */
    @Test
    void anEndWithoutTheEndOfTheMigrationIsNone() {
        FakeTerminal.Result result =
                follow((call, exchange) -> whole(exchange, call == 1 ? SEVEN : HALF_OF_EIGHT + "\n" + END));
        assertThat(result.code()).isZero();
        assertThat(result.out().lines()).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({"401, 5", "403, 5", "404, 4"})
    void givesUpOnWhatDoesNotPass(int status, int code) {
        FakeTerminal.Result result = follow((call, exchange) -> {
            if (call == 1) {
                broken(exchange, SEVEN);
            } else {
                problem(exchange, status);
            }
        });
        assertThat(result.code()).isEqualTo(code);
        assertThat(calls).hasValue(2);
    }

    @Test
    void aServerThatWasNeverThereIsNotWaitedFor() {
        assertThat(follow((_, exchange) -> problem(exchange, 503)).code()).isEqualTo(6);
        assertThat(calls).hasValue(1);
    }

    @Test
    void givesUpOnAServerThatStaysAway() {
        server.createContext(
                "/",
                exchange -> answer(exchange, (call, one) -> {
                    if (call == 1) {
                        broken(one, SEVEN);
                    } else {
                        problem(one, 503);
                    }
                }));
        ApiClient client =
                new ApiClient("http://127.0.0.1:" + server.getAddress().getPort(), () -> "token", Where.DEFAULT);
        StringWriter said = new StringWriter();
        Terminal terminal = Terminal.of(said, said, new StringReader(""), false, Map.of());
        EventFollower follower = new EventFollower(client, terminal, Duration.ofSeconds(2), null);
        assertThat(catchThrowableOfType(CliFailure.class, () -> follower.follow("/migrations/m/events", _ -> {}))
                        .exitCode())
                .isEqualTo(ExitCode.UNREACHABLE);
        assertThat(calls.get()).isGreaterThan(2);
    }

    private FakeTerminal.Result follow(Answer answer) {
        server.createContext("/", exchange -> answer(exchange, answer));
        return new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + server.getAddress().getPort())
                .with("EDEN_TOKEN", "token")
                .run("migration", "events", "m", "--follow", "--json");
    }

    private void answer(HttpExchange exchange, Answer answer) throws IOException {
        known.add(String.valueOf(exchange.getRequestHeaders().getFirst("Last-Event-ID")));
        try (exchange) {
            answer.to(calls.incrementAndGet(), exchange);
        }
    }

    private static void whole(HttpExchange exchange, String text) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
        exchange.getResponseBody().close();
    }

    /** Ends without its last chunk. */
    private static void broken(HttpExchange exchange, String text) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, text.length() + 100);
        OutputStream body = exchange.getResponseBody();
        body.write(text.getBytes(StandardCharsets.UTF_8));
        body.flush();
    }

    private static void problem(HttpExchange exchange, int status) throws IOException {
        byte[] body = ("{\"title\":\"no\",\"status\":" + status + "}").getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
