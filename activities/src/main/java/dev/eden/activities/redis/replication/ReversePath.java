package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.Backend;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the way back possible while the other direction runs: an idle replica of the written server, so that its log exists, lives and can be
 * asked for from any position of a later turn. What arrives is thrown away, except a probe that the applier wrote: it proves the
 * way. The control user writes and deletes one on the other side too, which proves that it can be written.
 *
 * <p>A server makes its log when its first replica asks for a full copy (Redis source, {@code syncCommand}); the request is dropped as
 * soon as the log exists, before a copy is made where the server sends it without a file.
 */
final class ReversePath implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ReversePath.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long PROBE_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long RETRY_MILLIS = 250;

    private final String migration;
    private final Endpoint followed;
    private final Endpoint written;
    private final Supplier<Backend.Login> followedLogin;
    private final Supplier<Backend.Login> writtenLogin;
    private final Consumer<String> probeWriter;
    private final Thread thread;
    private volatile @Nullable ReplicaLink link;
    private volatile String awaited = "";
    private volatile long awaitedSince;
    private volatile boolean arrived;
    private volatile boolean proven;
    private volatile boolean quiet;
    private volatile boolean closed;
    private long probes;

    /** {@code probeWriter} writes {@link #probeKey} with the applier's own identity. */
    ReversePath(
            String migration,
            Endpoint followed,
            Supplier<Backend.Login> followedLogin,
            Endpoint written,
            Supplier<Backend.Login> writtenLogin,
            Consumer<String> probeWriter) {
        this.migration = migration;
        this.followed = followed;
        this.written = written;
        this.followedLogin = followedLogin;
        this.writtenLogin = writtenLogin;
        this.probeWriter = probeWriter;
        this.thread =
                Thread.ofPlatform().daemon().name("eden-reverse-" + migration).start(this::run);
    }

    static String probeKey(String migration) {
        return "eden:{" + migration + "}:probe";
    }

    /** A marker has gone the way, lately. */
    boolean proven() {
        return proven;
    }

    /** While an attempt runs nothing is probed: the followed side may hold all writes. */
    void quiet(boolean attemptRunning) {
        quiet = attemptRunning;
    }

    /** Called once in a while by the session's clock: probes, acknowledges. */
    void tick(long nowNanos) {
        ReplicaLink current = link;
        if (current == null) {
            proven = false;
            return;
        }
        if (quiet) {
            acknowledge(current);
            return;
        }
        if (awaited.isEmpty() || (arrived && nowNanos - awaitedSince > PROBE_NANOS)) {
            arrived = false;
            awaitedSince = nowNanos;
            awaited = Long.toString(++probes) + "-" + nowNanos;
            if (probeFollowed()) {
                probeWriter.accept(awaited);
            }
        } else if (!arrived && nowNanos - awaitedSince > PROBE_LIMIT_NANOS) {
            proven = false;
            awaited = "";
        }
        acknowledge(current);
    }

    private static void acknowledge(ReplicaLink current) {
        try {
            current.acknowledge(current.offset());
        } catch (RedisConnectionException e) {
            current.close();
        }
    }

    @Override
    public void close() {
        closed = true;
        ReplicaLink current = link;
        if (current != null) {
            current.close();
        }
        thread.interrupt();
    }

    private boolean probeFollowed() {
        try (RespConnection control =
                RespConnection.connect(followed, followedLogin.get(), "eden:probe:" + migration, TIMEOUT)) {
            control.call("SET", probeKey(migration), awaited);
            control.call("DEL", probeKey(migration));
            return true;
        } catch (RedisConnectionException | RedisException e) {
            proven = false;
            log("the followed side can't be written by Eden", e);
            return false;
        }
    }

    private void run() {
        while (!closed) {
            try (ReplicaLink open = open()) {
                link = open;
                awaited = "";
                discard(open);
            } catch (IOException | RedisConnectionException | RedisException e) {
                if (!closed) {
                    log("idle replica of the written side lost", e);
                }
            } finally {
                link = null;
                proven = false;
            }
            try {
                TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void discard(ReplicaLink open) throws IOException {
        String key = probeKey(migration);
        while (!closed) {
            StreamCommand command = open.next();
            if (command.name.equals("SET")
                    && command.size() >= 3
                    && text(command, 1).equals(key)
                    && text(command, 2).equals(awaited)) {
                arrived = true;
                proven = true;
            }
        }
    }

    private static String text(StreamCommand command, int index) {
        return new String(command.argument(index), StandardCharsets.UTF_8);
    }

    private ReplicaLink open() throws IOException {
        Backend.Login login = writtenLogin.get();
        prime(login);
        RouteLedger.Position now;
        try (RespConnection control = RespConnection.connect(written, login, "eden:reverse:" + migration, TIMEOUT)) {
            now = SourceReads.position(control.call("INFO", "replication").text());
        }
        ReplicaLink open = ReplicaLink.connect(written, login, "eden:reverse:" + migration);
        try {
            ReplicaLink.Start start = open.psync(now.replid(), now.offset());
            if (start instanceof ReplicaLink.Start.Full) {
                throw new IOException("the written side refused to continue at its own position");
            }
            return open;
        } catch (IOException | RuntimeException e) {
            open.close();
            throw e;
        }
    }

    /** Makes the server's log where it has none. */
    private void prime(Backend.Login login) throws IOException {
        try (RespConnection control = RespConnection.connect(written, login, "eden:reverse:" + migration, TIMEOUT)) {
            if (logExists(control)) {
                return;
            }
            try (ReplicaLink first = ReplicaLink.connect(written, login, "eden:reverse:" + migration)) {
                first.requestPsync(null, 0);
                long end = System.nanoTime() + TIMEOUT.toNanos();
                while (!logExists(control)) {
                    if (System.nanoTime() > end) {
                        throw new IOException("the written side does not begin a log");
                    }
                    java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
                }
            }
        }
    }

    private static boolean logExists(RespConnection control) {
        return ServerInfo.read(control, "replication").number("repl_backlog_active") == 1;
    }

    private void log(String what, Exception e) {
        LOGGER.atWarn()
                .addKeyValue("migration", migration)
                .addKeyValue("endpoint", written.id())
                .log("{}: {}", what, e.getMessage());
    }
}
