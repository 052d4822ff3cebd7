package dev.eden.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL on 127.0.0.1 as a process of this JVM, with the durability a production server has: {@code fsync},
 * {@code full_page_writes} and {@code synchronous_commit} are on (builders of embedded servers usually switch them off, and
 * a crash test on such a server shows nothing). Clients log in by password (SCRAM); the password is generated once per data
 * directory template and lies beside the data, readable by its owner only. PostgreSQL refuses to run as root: under root it
 * runs as {@code nobody}, who then owns the data directory.
 */
public final class EmbeddedPostgres implements EmbeddedDatabase, AutoCloseable {
    static final String USER = "eden";
    static final String DATABASE = "eden";

    private static final Duration START = Duration.ofSeconds(60);

    private final PostgresInstallation installation;
    private final Options options;
    private final Path base;
    private final Path data;
    private final boolean temporary;
    private final int port;
    private final String password;
    private volatile ServerProcess process;

    private EmbeddedPostgres(
            PostgresInstallation installation, Options options, Path base, Path data, boolean temporary, int port) {
        this.installation = installation;
        this.options = options;
        this.base = base;
        this.data = data;
        this.temporary = temporary;
        this.port = port;
        if (temporary) {
            Watchdog.ofThisJvm().add(base);
        }
        this.password = installation.createCluster(data);
        this.process = launch();
    }

    /**
     * How to start.
     *
     * @param port 0 for a free one
     * @param dataDir data directory, made by initdb if it is not there, used as it is if it is; null for a temporary one
     * @param keep leave a temporary data directory where it is on close (one that was named always stays)
     * @param settings {@code name=value} of postgresql.conf, after the defaults
     * @param version major version, 14 to 18; all but 18 are fetched through Maven by their first use on a machine
     */
    public record Options(int port, @Nullable Path dataDir, boolean keep, List<String> settings, int version) {
        public Options {
            settings = List.copyOf(settings);
        }

        public static Options defaults() {
            return new Options(0, null, false, List.of(), PostgresBinaries.DEFAULT_MAJOR);
        }

        public Options withPort(int newPort) {
            return new Options(newPort, dataDir, keep, settings, version);
        }

        public Options withDataDir(Path newDataDir) {
            return new Options(port, newDataDir, keep, settings, version);
        }

        public Options withKeep(boolean newKeep) {
            return new Options(port, dataDir, newKeep, settings, version);
        }

        public Options withSettings(String... newSettings) {
            return new Options(port, dataDir, keep, List.of(newSettings), version);
        }

        public Options withVersion(int major) {
            return new Options(port, dataDir, keep, settings, major);
        }
    }

    public static EmbeddedPostgres start() {
        return start(Options.defaults());
    }

    /** Returns when the server accepts connections. The first start on a machine unpacks the binaries and runs initdb. */
    public static EmbeddedPostgres start(Options options) {
        var installation = PostgresInstallation.ofThisMachine(options.version());
        int port = options.port() == 0 ? FreePort.find() : options.port();
        Path named = options.dataDir();
        try {
            if (named != null) {
                Path data = named.toAbsolutePath();
                Path base = data.getParent() == null ? data : data.getParent();
                Files.createDirectories(base);
                return new EmbeddedPostgres(installation, options, base, data, false, port);
            }
            Path base = Files.createTempDirectory("eden-postgres-");
            // Another user has to reach the data directory below it.
            Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwx--x--x"));
            return new EmbeddedPostgres(installation, options, base, base.resolve("data"), !options.keep(), port);
        } catch (IOException e) {
            throw new UncheckedIOException("could not prepare a directory for PostgreSQL", e);
        }
    }

    public String host() {
        return "127.0.0.1";
    }

    public int port() {
        return port;
    }

    /** URL of the database {@code eden}, without credentials. */
    public String jdbcUrl() {
        return jdbcUrl(DATABASE);
    }

    public String jdbcUrl(String database) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
    }

    /** A superuser. */
    public String user() {
        return USER;
    }

    public String password() {
        return password;
    }

    /** Holds the password; its owner alone may read it. */
    public Path passwordFile() {
        return data.resolve(PostgresInstallation.PASSWORD_FILE);
    }

    public Path dataDir() {
        return data;
    }

    @Override
    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** The process itself: log tail, exit code, detach. */
    public ServerProcess process() {
        return process;
    }

    /** Fast shutdown: sessions are ended, a checkpoint is written. */
    public void stop() {
        process.stop(Signal.INT, Duration.ofSeconds(30));
    }

    /** SIGKILL to the postmaster and all its backends: the next start recovers from the log. */
    @Override
    public void kill() {
        process.kill();
    }

    /** Starts again on the same port and data, after a {@link #stop} if it still runs. */
    @Override
    public void restart() {
        stop();
        process = launch();
    }

    /** SIGSTOP to the postmaster and all its backends. */
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
            Watchdog.ofThisJvm().drop(base);
        }
    }

    /** Ends the server; a temporary data directory is not worth a checkpoint and goes with it. */
    @Override
    public void close() {
        if (!temporary) {
            stop();
            return;
        }
        // At once, as PostgreSQL's documentation has it (18.5): killed, it would leave its shared memory behind, and a
        // system has room for some thousands.
        process.stop(Signal.QUIT, Duration.ofSeconds(10));
        try {
            Cache.delete(base);
            Watchdog.ofThisJvm().drop(base);
        } catch (IOException e) {
            throw new UncheckedIOException("could not remove " + base, e);
        }
    }

    private ServerProcess launch() {
        var settings = new ArrayList<>(List.of(
                "listen_addresses=127.0.0.1",
                "port=" + port,
                // A Unix socket's path has at most 107 bytes.
                "unix_socket_directories=" + (data.toString().length() < 80 ? data : ""),
                "max_connections=300",
                "fsync=on",
                "full_page_writes=on",
                "synchronous_commit=on",
                "shared_buffers=64MB",
                "logging_collector=off",
                "log_line_prefix=%m [%p] "));
        settings.addAll(options.settings());
        var arguments = new ArrayList<>(List.of("-D", data.toString()));
        settings.forEach(setting -> arguments.addAll(List.of("-c", setting)));
        var started = ServerProcess.start(new ServerProcess.Spec(
                "PostgreSQL on port " + port,
                installation.command("postgres", data, arguments),
                Path.of("/"),
                Map.of("LC_ALL", "C"),
                base.resolve(data.getFileName() + "-postgres.log")));
        started.awaitReady(START, () -> accepts(started.pid()));
        return started;
    }

    /** The postmaster writes its state to the eighth line of postmaster.pid; this is what pg_ctl waits for. */
    private boolean accepts(long pid) {
        try {
            List<String> lines = Files.readAllLines(data.resolve("postmaster.pid"), StandardCharsets.UTF_8);
            return lines.size() >= 8
                    && lines.getFirst().strip().equals(Long.toString(pid))
                    && lines.get(7).strip().equals("ready");
        } catch (IOException e) {
            return false;
        }
    }
}
