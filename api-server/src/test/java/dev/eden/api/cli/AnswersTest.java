package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people see of a server's answer, and what it was asked. */
class AnswersTest {
    private static final String PLAN = """
        {"migration": "m", "startable": true, "started": %s,
         "findings": [{"id": "redis.version", "severity": "info", "message": "both are 7.4", "remedy": ""}],
         "forecast": {"pause_at_most_ms": 100, "attempts_at_most": 3, "rehearsed_pause_ms": %s},
         "pauses": %s, "copy_forecast": %s, "copy_took_seconds": %s, "steps": ["initializing"]}\
        """;

    private static final String COPY =
            "{\"items\": 98662, \"bytes\": 125829120, \"seconds\": 1.2, \"basis\": \"200,000 keys/s, or 100 MiB/s of"
                    + " the source's memory, whichever takes longer\"}";

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private volatile String told = "{}";
    private HttpServer server;

    @TempDir
    private Path home;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aPlanSaysWhatToExpectWithinATerminal() {
        FakeTerminal.Result plan =
                shell(PLAN.formatted("false", "null", "[]", COPY, "null")).typing("", "migration", "plan", "m");
        assertThat(plan.code()).as(plan.err()).isZero();
        List<String> lines =
                plan.out().replaceAll("\u001b\\[[0-9;]*m", "").lines().toList();
        assertThat(lines).allMatch(line -> line.length() <= 80);
        assertThat(String.join(" ", lines).replaceAll(" +", " "))
                .contains("copy 98,662 keys or rows, 120.0 MiB, in about 1.2 s (200,000 keys/s, or 100 MiB/s of the"
                        + " source's memory, whichever takes longer)")
                .contains("pause at most 100 ms, in each of 3 attempts at most; no rehearsal has measured it")
                .doesNotContain("it took", "earlier flips");
    }

    @Test
    void aPlanOfOneThatRunsSaysWhatCameOfIt() {
        String pauses = """
            [{"direction": "forward", "pause_ms": 20.14, "rehearsed_pause_ms": 12.3},
             {"direction": "rollback", "pause_ms": null, "rehearsed_pause_ms": 12.3}]\
            """;
        FakeTerminal.Result plan =
                shell(PLAN.formatted("true", "12.345", pauses, COPY, "75")).run("migration", "plan", "m");
        assertThat(plan.out().replaceAll("\\s+", " "))
                .contains("; it took 1 min 15 s")
                .contains("the last rehearsal took 12.3 ms; earlier flips: forward 20.1 ms, rollback not known");
        assertThat(shell(PLAN.formatted("false", "null", "[]", "null", "null"))
                        .run("migration", "plan", "m")
                        .out())
                .contains("not known: the source can't be asked");
        assertThat(shell(PLAN.formatted("true", "null", "[]", "null", "null"))
                        .run("migration", "plan", "m")
                        .out())
                .contains("not known: no forecast was made at the start");
    }

    @Test
    void trafficFitsATerminal() {
        String report =
                "\"report\": {\"connections\": 1200, \"served_by_standby\": 123456, \"active\": {\"operations\":"
                        + " 1234567890, \"errors\": 12, \"p50_millis\": 0.21, \"p99_millis\": 12.34}}";
        FakeTerminal.Result traffic = shell("""
            {"interlay": "cache", "endpoint": "ec2_redis", "connections": 1200, "proxies": [
             {"proxy": "orders-7d9c5b6f4-x2x7p", "listen": "0.0.0.0:6379", "alive": true, "at_millis": 0, %s},
             {"proxy": "p2", "listen": "0.0.0.0:6379", "alive": false, "at_millis": 0, %s}]}\
            """.formatted(report, report)).typing("", "interlay", "traffic", "cache");
        assertThat(traffic.code()).as(traffic.err()).isZero();
        List<String> lines =
                traffic.out().replaceAll("\u001b\\[[0-9;]*m", "").lines().toList();
        assertThat(lines.stream().filter(line -> line.startsWith("orders-") || line.startsWith("PROXY")))
                .hasSize(2)
                .allMatch(line -> line.length() <= 80);
        assertThat(traffic.out())
                .containsPattern("x2x7p +1200 +1234567890 +12 +0.2/12.3 +123456 +yes")
                .containsPattern("p2 .* no, \\d+ h");
    }

    @Test
    void aLogThatIsNotWholeLeadsToWhereItBegins() {
        FakeTerminal.Result broken = shell(
                        "{\"intact\": false, \"entries\": 41, \"last_id\": 41, \"head\": \"ab\", \"broken_at\": 42,"
                                + " \"problem\": \"entry 42 is missing\"}")
                .run("audit", "verify");
        assertThat(broken.code()).isEqualTo(ExitCode.ENDED_BADLY.code());
        assertThat(broken.lastLine()).isEqualTo("next: eden audit list --after 41 --limit 20");
        FakeTerminal.Result whole = shell("{\"intact\": true, \"entries\": 41, \"last_id\": 41, \"head\": \"ab\", "
                        + "\"broken_at\": null, \"problem\": null}")
                .run("audit", "verify");
        assertThat(whole.code()).isZero();
        assertThat(whole.lastLine()).isEqualTo("next: eden migration list");
    }

    @Test
    void labelsAreSetAndTakenAway() {
        FakeTerminal shell = shell(
                "{\"id\": \"m\", \"phase\": \"canary\", \"ended_at\": null, \"labels\": {\"backup_verified\": \"kim,"
                        + " on Monday\"}}");
        FakeTerminal.Result set = shell.run(
                "migration", "set", "m", "label.backup_verified=kim, on Monday", "label.team=", "--reason", "audit");
        assertThat(set.code()).as(set.err()).isZero();
        assertThat(set.out()).containsPattern("labels +backup_verified=kim, on Monday");
        assertThat(Json.tree(asked.getLast()))
                .isEqualTo(
                        Json.tree("{\"labels\": {\"backup_verified\": \"kim, on Monday\", \"team\": null}, \"reason\":"
                                + " \"audit\"}"));
        shell.run("migration", "set", "m", "label.a.b=c=d", "read_percentage=25%");
        assertThat(Json.tree(asked.getLast()))
                .isEqualTo(Json.tree("{\"labels\": {\"a.b\": \"c=d\"}, \"strategy\": {\"read_percentage\": 0.25}}"));
        assertThat(shell.run("migration", "set", "m", "colour=red").err()).contains("label.NAME");
    }

    private FakeTerminal shell(String answer) {
        told = answer;
        return new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + server.getAddress().getPort())
                .with("EDEN_TOKEN", "token");
    }

    private void answer(HttpExchange exchange) throws IOException {
        asked.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        byte[] bytes = told.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
