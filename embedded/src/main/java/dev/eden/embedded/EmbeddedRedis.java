package dev.eden.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A real Redis server on 127.0.0.1 as a process of this JVM. Its settings are in {@code redis.conf} of its directory, so
 * {@code CONFIG REWRITE} works; a restart reads that file again.
 */
public final class EmbeddedRedis implements EmbeddedDatabase, AutoCloseable {
    private static final Duration START = Duration.ofSeconds(20);

    private final Path executable;
    private final Path directory;
    private final boolean temporary;
    private final int port;
    private volatile ServerProcess process;

    private EmbeddedRedis(Path executable, Path directory, boolean temporary, int port) {
        this.executable = executable;
        this.directory = directory;
        this.temporary = temporary;
        this.port = port;
        if (temporary) {
            Watchdog.ofThisJvm().add(directory);
        }
        this.process = launch();
    }

    /**
     * How to start.
     *
     * @param version {@code "7.0"}, or {@code "6.2"} where {@code com.github.codemonstur:embedded-redis} is on the class path
     * @param port 0 for a free one
     * @param configLines lines of redis.conf, after (so: instead of) the defaults: no persistence, no protected mode, log level
     *     notice
     * @param dir working directory, kept; null for a temporary one
     */
    public record Options(
            String version,
            int port,
            List<String> configLines,
            @Nullable Path dir) {
        public Options {
            configLines = List.copyOf(configLines);
        }

        public static Options defaults() {
            return new Options("7.0", 0, List.of(), null);
        }

        public Options withVersion(String newVersion) {
            return new Options(newVersion, port, configLines, dir);
        }

        public Options withPort(int newPort) {
            return new Options(version, newPort, configLines, dir);
        }

        public Options withConfig(String... lines) {
            return new Options(version, port, List.of(lines), dir);
        }

        public Options withDir(Path newDir) {
            return new Options(version, port, configLines, newDir);
        }
    }

    public static EmbeddedRedis start() {
        return start(Options.defaults());
    }

    /** Returns when the server answers PING and has loaded its data. */
    public static EmbeddedRedis start(Options options) {
        int port = options.port() == 0 ? FreePort.find() : options.port();
        Path dir = options.dir();
        try {
            Path directory = dir == null ? Files.createTempDirectory("eden-redis-") : Files.createDirectories(dir);
            var lines = new ArrayList<>(List.of(
                    "bind 127.0.0.1",
                    "port " + port,
                    "protected-mode no",
                    "daemonize no",
                    "save \"\"",
                    "appendonly no",
                    "loglevel notice"));
            lines.addAll(options.configLines());
            Files.write(directory.resolve("redis.conf"), lines);
            makeAclFile(directory, lines);
            return new EmbeddedRedis(executable(options.version()), directory.toAbsolutePath(), dir == null, port);
        } catch (IOException e) {
            throw new UncheckedIOException("could not prepare a directory for Redis", e);
        }
    }

    /** Redis does not start when the file that its settings name is absent (redis.conf, aclfile). */
    private static void makeAclFile(Path directory, List<String> lines) throws IOException {
        for (String line : lines) {
            if (line.startsWith("aclfile ")) {
                Path file =
                        directory.resolve(line.substring("aclfile ".length()).strip());
                if (!Files.exists(file)) {
                    Files.createFile(file);
                }
            }
        }
    }

    public String host() {
        return "127.0.0.1";
    }

    public int port() {
        return port;
    }

    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(host(), port);
    }

    @Override
    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Working directory: redis.conf, redis.log, dump.rdb and append-only files. */
    public Path directory() {
        return directory;
    }

    /** The process itself: log tail, exit code, detach. */
    public ServerProcess process() {
        return process;
    }

    /** SIGTERM: Redis saves first if save points are configured. */
    public void stop() {
        process.stop(Duration.ofSeconds(10));
    }

    @Override
    public void kill() {
        process.kill();
    }

    /** Starts again on the same port and directory, after a {@link #stop} if it still runs. */
    @Override
    public void restart() {
        stop();
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

    /** The server outlives this JVM, and its directory stays. */
    public void detach() {
        process.detach();
        if (temporary) {
            Watchdog.ofThisJvm().drop(directory);
        }
    }

    @Override
    public void close() {
        process.kill();
        if (temporary) {
            try {
                Cache.delete(directory);
                Watchdog.ofThisJvm().drop(directory);
            } catch (IOException e) {
                throw new UncheckedIOException("could not remove " + directory, e);
            }
        }
    }

    private ServerProcess launch() {
        var started = ServerProcess.start(new ServerProcess.Spec(
                "Redis on port " + port,
                List.of(executable.toString(), directory.resolve("redis.conf").toString()),
                directory,
                Map.of(),
                directory.resolve("redis.log")));
        started.awaitReady(START, this::answers);
        return started;
    }

    /** PING; a server that wants a password (-NOAUTH) is up as well, one that is loading (-LOADING) is not. */
    private boolean answers() {
        try (var socket = new Socket()) {
            socket.connect(address(), 500);
            socket.setSoTimeout(500);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            String reply = new String(socket.getInputStream().readNBytes(5), StandardCharsets.US_ASCII);
            return reply.equals("+PONG") || reply.equals("-NOAU") || reply.equals("-NOPE");
        } catch (IOException e) {
            return false;
        }
    }

    private static Path executable(String version) {
        boolean mac = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("mac");
        boolean arm = System.getProperty("os.arch", "").equals("aarch64");
        return switch (version) {
            case "7.0" ->
                Cache.executable(
                        "redis/7.0.15/redis-server",
                        "redis-server-7.0.15-" + (mac ? "darwin" : "linux") + (arm ? "-arm64" : "-amd64"),
                        "org.signal:embedded-redis");
            // The file names give the versions of their builders; the server on linux-amd64 says 6.2.11.
            case "6.2" ->
                Cache.executable(
                        "redis/6.2/redis-server",
                        mac
                                ? "redis-server-6.2.6-v5-darwin" + (arm ? "-arm64" : "-amd64")
                                : arm ? "redis-server-6.2.7-linux-arm64" : "redis-server-6.2.6-v5-linux-amd64",
                        "com.github.codemonstur:embedded-redis");
            default -> throw new IllegalArgumentException("no Redis " + version + " among the embedded ones: 7.0, 6.2");
        };
    }
}
