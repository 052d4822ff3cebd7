package dev.eden.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code temporal server start-dev} on 127.0.0.1: a real server, durable by its SQLite file, with the Web UI. */
final class TemporalDevServer implements EmbeddedTemporal {
    private final Path binary;
    private final Options options;
    private final Path directory;
    private final Path dbFile;
    private final boolean temporary;
    private final int port;
    private final int uiPort;
    private final int httpPort = FreePort.find();
    private final int metricsPort = FreePort.find();
    private volatile ServerProcess process;

    TemporalDevServer(Path binary, Options options) {
        this.binary = binary;
        this.options = options;
        this.port = options.port() == 0 ? FreePort.find() : options.port();
        this.uiPort = options.uiPort() == 0 ? FreePort.find() : options.uiPort();
        Path named = options.dbFile();
        this.temporary = named == null;
        try {
            if (named == null) {
                this.directory = Files.createTempDirectory("eden-temporal-");
                this.dbFile = directory.resolve("temporal.db");
                Watchdog.ofThisJvm().add(directory);
            } else {
                this.dbFile = named.toAbsolutePath();
                Path parent = dbFile.getParent();
                this.directory = parent == null ? Path.of("/") : parent;
                Files.createDirectories(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("could not prepare a directory for Temporal", e);
        }
        this.process = launch();
    }

    @Override
    public String address() {
        return "127.0.0.1:" + port;
    }

    @Override
    public Optional<String> uiUrl() {
        return Optional.of("http://127.0.0.1:" + uiPort);
    }

    @Override
    public boolean durable() {
        return true;
    }

    @Override
    public Optional<ServerProcess> process() {
        return Optional.of(process);
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public void restart() {
        process.stop(Duration.ofSeconds(10));
        process = launch();
    }

    @Override
    public void suspend() {
        process.suspend();
    }

    @Override
    public void resume() {
        process.resume();
    }

    @Override
    public void detach() {
        process.detach();
        if (temporary) {
            Watchdog.ofThisJvm().drop(directory);
        }
    }

    @Override
    public void close() {
        if (!temporary) {
            process.stop(Duration.ofSeconds(10));
            return;
        }
        process.kill();
        try {
            Cache.delete(directory);
            Watchdog.ofThisJvm().drop(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("could not remove " + directory, e);
        }
    }

    private ServerProcess launch() {
        var command = new ArrayList<>(List.of(
                binary.toString(),
                "server",
                "start-dev",
                "--ip=127.0.0.1",
                "--port=" + port,
                "--ui-port=" + uiPort,
                "--http-port=" + httpPort,
                "--metrics-port=" + metricsPort,
                "--db-filename=" + dbFile,
                "--log-level=error",
                // An update that starts one activity: 50 ms instead of 100.
                "--dynamic-config-value=system.enableActivityEagerExecution=true"));
        options.searchAttributes()
                .forEach((name, type) -> command.add("--search-attribute=" + name + "=" + type.label()));
        var started = ServerProcess.start(new ServerProcess.Spec(
                "Temporal dev server on port " + port,
                command,
                directory,
                Map.of(),
                directory.resolve("temporal.log")));
        TemporalService.awaitNamespace(address(), started::requireAlive);
        return started;
    }
}
