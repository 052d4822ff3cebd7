package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.api.Eden;
import dev.eden.api.json.Json;
import dev.eden.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

/** {@code eden proxy} as a process of its own, which can be stopped and go on. It serves the interlay {@code front} of a store under the name {@code side-car}. */
public final class SidecarProcess implements AutoCloseable {
    private final Process process;
    private final Path log;
    private final int port;

    public SidecarProcess(EmbeddedPostgres store, byte[] key, Path folder) throws IOException {
        Path ports = folder.resolve("ports.json");
        log = folder.resolve("side-car.log");
        ProcessBuilder builder = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Eden.class.getName(),
                        "proxy",
                        "--name=side-car",
                        "--interlay=front",
                        "--listen=127.0.0.1:0",
                        "--metrics-host=127.0.0.1",
                        "--metrics-port=0",
                        "--ports-file=" + ports,
                        "--database-url=" + store.jdbcUrl(),
                        "--database-user=" + store.user()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("EDEN_DATABASE_PASSWORD", store.password());
        builder.environment().put("EDEN_ENCRYPTION_KEY", Base64.getEncoder().encodeToString(key));
        process = builder.start();
        try {
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(ports)
                            .as(() -> "the side-car starts: " + log())
                            .isNotEmptyFile());
        } catch (AssertionError | RuntimeException e) {
            close();
            throw e;
        }
        port = Json.tree(Files.readString(ports)).path("proxy").asInt();
    }

    public int port() {
        return port;
    }

    /** {@code kill -9}; returns when it is gone. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    void suspend() throws IOException, InterruptedException {
        signal("STOP");
    }

    void resume() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** What the process has said so far. */
    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
