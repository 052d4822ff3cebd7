package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.eden.api.SelfSigned;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stands between the client and a server. */
class ApiClientTest {
    @TempDir
    private Path home;

    @Test
    void aServerOfAnAuthorityOfItsOwnIsTrustedWhereThatIsNamed() throws Exception {
        SelfSigned pair = SelfSigned.make(home, "EC");
        HttpsServer server = serve(pair);
        try {
            String url = "https://localhost:" + server.getAddress().getPort();
            FakeTerminal shell = new FakeTerminal(home).with("EDEN_TOKEN", "token");
            FakeTerminal.Result stranger = shell.run("migration", "list", "--url", url);
            assertThat(stranger.code()).isEqualTo(ExitCode.UNREACHABLE.code());
            assertThat(stranger.err())
                    .contains("is not trusted here", "--tls-ca-file")
                    .doesNotContain("start one");

            String pem = pair.writeCertificate(home.resolve("ca.pem")).toString();
            FakeTerminal.Result named = shell.run("migration", "list", "--url", url, "--tls-ca-file", pem);
            assertThat(named.code()).as(named.err()).isZero();
            assertThat(named.lastLine()).endsWith(" --url " + url + " --tls-ca-file " + pem);
            shell.run("context", "add", "own", "--url", url, "--tls-ca-file", pem);
            assertThat(shell.run("migration", "list").code()).as("of a context").isZero();
            FakeTerminal.Result wrong = shell.with(
                            "EDEN_TLS_CA_FILE", home.resolve("none.pem").toString())
                    .run("migration", "list");
            assertThat(wrong.code()).isEqualTo(ExitCode.USAGE.code());
            assertThat(wrong.err()).contains("none.pem can't be read");
            assertThat(shell.run("migration", "list", "--context", "own").code())
                    .as("a context that is chosen wins over the environment")
                    .isZero();
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aChangeWithoutAnAnswerMayHaveBeenDone() {
        Unanswered unanswered = new Unanswered("http://h:1");
        assertThat(unanswered.silent("POST", Duration.ofSeconds(60)).getMessage())
                .contains("has not answered for 60 s", "may have been done");
        assertThat(unanswered.silent("GET", Duration.ofSeconds(60)).getMessage())
                .doesNotContain("may have been done");
    }

    private static HttpsServer serve(SelfSigned pair) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(pair.store(), pair.password());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.createContext("/", ApiClientTest::noMigrations);
        server.start();
        return server;
    }

    private static void noMigrations(HttpExchange exchange) throws IOException {
        byte[] body = "{\"migrations\": [], \"next\": null}".getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
