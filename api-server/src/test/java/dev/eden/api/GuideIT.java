package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.api.operations.Documents;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.proxy.Secret;
import java.io.File;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** A stranger pastes the guide's blocks into one shell, page by page: two servers of their own, moved there and back. */
class GuideIT {
    private static final String TOKEN = "guide-admin-token-0123456789";
    private static final int PATIENCE_SECONDS = 120;

    @Test
    void thePagesWorkAsPrintedOneAfterTheOther(@TempDir Path folder) throws Exception {
        try (EmbeddedPostgres store = EmbeddedPostgres.start();
                EmbeddedTemporal temporal = EmbeddedTemporal.start(
                        EmbeddedTemporal.Options.defaults().withForm(EmbeddedTemporal.Form.TEST_SERVER));
                EmbeddedRedis source = EmbeddedRedis.start();
                EmbeddedRedis target = EmbeddedRedis.start();
                EdenServer eden = EdenServer.start(new ServerOptions(
                        List.of(ServerOptions.Front.redis(new InetSocketAddress("127.0.0.1", 0))),
                        "guide",
                        true,
                        "127.0.0.1",
                        0,
                        "127.0.0.1",
                        0,
                        new EdenStore.Settings(
                                store.jdbcUrl(),
                                store.user(),
                                new Secret(store.password()),
                                null,
                                folder,
                                8,
                                Duration.ofSeconds(5)),
                        temporal.address(),
                        "default",
                        null,
                        new Secret(TOKEN)))) {
            int port = eden.proxyPorts().values().iterator().next();
            try (Jedis jedis = new Jedis(source.host(), source.port())) {
                for (int i = 0; i < 500; i++) {
                    jedis.set("key" + i, "value" + i);
                }
            }
            String script = "set -eu -o pipefail\n"
                    + Stream.of("your-own-redis", "canary", "rolling-back")
                            .flatMap(page -> Documents.runBy("GuideIT", "docs/guide/" + page + ".md").stream())
                            .map(Documents.Block::text)
                            .collect(Collectors.joining("\n"));
            File output = folder.resolve("output").toFile();
            ProcessBuilder shell = new ProcessBuilder("bash", "-c", script)
                    .redirectErrorStream(true)
                    .redirectOutput(output);
            shell.environment().put("EDEN", "http://127.0.0.1:" + eden.apiPort() + "/api/v1");
            shell.environment().put("TOKEN", TOKEN);
            shell.environment().put("SOURCE", source.uri());
            shell.environment().put("TARGET", target.uri());
            shell.environment().put("PROXY_PORT", Integer.toString(port));
            Process process = shell.start();
            boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            process.destroy();
            String said = Files.readString(output.toPath());
            assertThat(ended).as(said).isTrue();
            assertThat(process.exitValue()).as(said).isZero();
            // The pages await the phases they promise.
            assertThat(said).contains("\"startable\":true");
            assertThat(said).doesNotContain("\"severity\":\"failure\"").doesNotContain("backup.not_acknowledged");
            try (Jedis through = new Jedis("127.0.0.1", port)) {
                assertThat(through.get("key499")).isEqualTo("value499");
                assertThat(through.dbSize()).isEqualTo(500);
            }
            theReportSaysWhatWasCopied(eden);
        }
    }

    /** After three flips; progress is of the last one's direction then, which copied nothing. */
    private static void theReportSaysWhatWasCopied(EdenServer eden) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + eden.apiPort() + "/api/v1/migrations/move/report"))
                .header("Authorization", "Bearer " + TOKEN)
                .build();
        try (HttpClient http = HttpClient.newHttpClient()) {
            JsonNode outcome = Json.tree(http.send(request, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .path("outcome");
            assertThat(outcome.path("keys_copied").asLong()).isEqualTo(500);
            assertThat(outcome.path("bytes_copied").asLong()).isGreaterThan(500);
            assertThat(outcome.path("pauses").findValuesAsText("direction"))
                    .containsExactly("forward", "rollback", "forward");
            assertThat(outcome.path("pause_ms").asDouble())
                    .isEqualTo(outcome.path("pauses").findValuesAsText("pause_ms").stream()
                            .mapToDouble(Double::parseDouble)
                            .max()
                            .orElseThrow());
        }
    }
}
