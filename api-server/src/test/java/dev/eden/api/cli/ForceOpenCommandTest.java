package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever answers at one of the addresses, the order reaches the others, and all outcomes are shown. */
class ForceOpenCommandTest {
    private final List<HttpServer> servers = new ArrayList<>();

    @TempDir
    private Path home;

    @AfterEach
    void stop() {
        servers.forEach(server -> server.stop(0));
    }

    @Test
    void whatIsNoProxyKeepsTheOrderFromNobody() throws IOException {
        String first = answering("{\"outcome\":\"opened\",\"detail\":\"it opened\"}");
        String page = answering("<html>Welcome</html>");
        String other = answering("[]");
        String nothing = answering("");
        String last = answering("{\"outcome\":\"opened\",\"detail\":\"it opened too\"}");
        FakeTerminal.Result result = new FakeTerminal(home)
                .with("EDEN_ENCRYPTION_KEY", Base64.getEncoder().encodeToString(new byte[32]))
                .run(
                        "interlay",
                        "force-open",
                        "front",
                        "--owner",
                        "old",
                        "--reason",
                        "the store is lost",
                        "--yes",
                        "--proxy",
                        first,
                        "--proxy",
                        page,
                        "--proxy",
                        other,
                        "--proxy",
                        nothing,
                        "--proxy",
                        last);
        assertThat(result.out())
                .contains("it opened too")
                .containsPattern(page + " +unreachable +what answers there is no proxy of Eden's")
                .containsPattern(other + " +unreachable")
                .containsPattern(nothing + " +unreachable");
        assertThat(result.err()).doesNotContain("\tat ");
        assertThat(result.code()).isEqualTo(ExitCode.REFUSED.code());
    }

    @Test
    void theKeyOfAConfigurationFileIsUsed() throws IOException {
        Path key = Files.writeString(home.resolve("key"), Base64.getEncoder().encodeToString(new byte[32]));
        Path file = Files.writeString(home.resolve("eden.yaml"), "encryption:\n  key_file: " + key + "\n");
        String proxy = answering("{\"outcome\":\"opened\",\"detail\":\"it opened\"}");
        String[] order = {"interlay", "force-open", "f", "--owner", "o", "--reason", "r", "--yes", "--proxy", proxy};
        String data = home.resolve("nothing").toString();
        FakeTerminal shell = new FakeTerminal(home).with("EDEN_DATA_DIR", data);
        assertThat(shell.run(order).code()).as("without a key").isEqualTo(ExitCode.FAILED.code());
        String[] named = Arrays.copyOf(order, order.length + 2);
        named[order.length] = "--config";
        named[order.length + 1] = file.toString();
        assertThat(shell.run(named).code()).isZero();
        assertThat(shell.with("EDEN_CONFIG", file.toString()).run(order).code()).isZero();
    }

    private String answering(String body) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        servers.add(server);
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }
}
