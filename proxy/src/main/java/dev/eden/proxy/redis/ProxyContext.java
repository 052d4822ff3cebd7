package dev.eden.proxy.redis;

import dev.eden.proxy.Backend;
import dev.eden.proxy.ClientTls;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.proxy.Route;
import dev.eden.proxy.Wakefulness;
import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the loops of one proxy have in common; touched when connections come and go, hardly ever per request. */
final class ProxyContext {
    private static final Logger LOGGER = LoggerFactory.getLogger(ProxyContext.class);

    /** A store that is away for a moment changes nothing, and what it said last does not count for good. */
    private static final long OPEN_FOR = TimeUnit.SECONDS.toNanos(10);

    private record Open(ServerAddress server, long readAt) {}

    final RedisProxyConfig config;
    final int loops;
    final ClientTls tls;
    final Scripts scripts = new Scripts();
    final BlockedClients blocked = new BlockedClients();
    final Wakefulness wakefulness = new Wakefulness();
    final AtomicInteger clients = new AtomicInteger();
    final AtomicInteger exclusive = new AtomicInteger();
    final AtomicLong clientIds = new AtomicLong();
    final AtomicLong bufferedBytes = new AtomicLong();
    private final AtomicReference<@Nullable ServerAddress> learned = new AtomicReference<>();
    private volatile @Nullable Open open;
    private List<ProxyLoop> all = List.of();
    private @Nullable Freshness freshness;
    private @Nullable ScriptLoader scriptLoader;

    /** Throws {@link java.io.UncheckedIOException} when the proxy's certificate cannot be shown. */
    ProxyContext(RedisProxyConfig config, int loops) {
        this.config = config;
        this.tls = new ClientTls(config.tls());
        this.loops = loops;
    }

    /** Before any loop runs. */
    void started(List<ProxyLoop> running) {
        all = List.copyOf(running);
        freshness = new Freshness(running.getFirst());
        scriptLoader = new ScriptLoader(running.getFirst(), scripts);
    }

    Freshness freshness() {
        Freshness known = freshness;
        if (known == null) {
            throw new IllegalStateException("not started");
        }
        return known;
    }

    ScriptLoader scriptLoader() {
        ScriptLoader known = scriptLoader;
        if (known == null) {
            throw new IllegalStateException("not started");
        }
        return known;
    }

    /** A loop follows a new route. */
    void followed(ProxyLoop loop, Route route) {
        if (!all.isEmpty() && loop == all.getFirst()) {
            freshness().follow(route);
        }
    }

    /** The follower's thread. */
    void looked(Route row) {
        Backend active = row.active();
        open = active != null && active.openToAll() ? new Open(ServerAddress.of(active), System.nanoTime()) : null;
    }

    /** True where {@link Backend#openToAll} was read of this server a short while ago: rights are taken away without a change of the route. */
    boolean openToAll(ServerAddress server) {
        Open known = open;
        return known != null && known.server().equals(server) && System.nanoTime() - known.readAt() < OPEN_FOR;
    }

    /** Asks the active server for its commands, once per server; every loop gets its answer. The bundled table serves until then. */
    void learnCommands(BackendPool pool) {
        ServerAddress server = pool.key.server();
        if (server.equals(learned.getAndSet(server))) {
            return;
        }
        pool.await(false, (connection, _) -> {
            if (connection == null) {
                learned.set(null);
                return;
            }
            ByteBuf out = pool.loop.buffer();
            RespWriter.command(out, "COMMAND");
            connection.expect(
                    new ReplyTarget() {
                        @Override
                        public void reply(ByteBuf frame) {
                            Thread.ofVirtual().name("eden-commands").start(() -> learn(server, frame));
                        }

                        @Override
                        public void lost() {
                            learned.set(null);
                        }
                    },
                    0);
            connection.write(out);
        });
    }

    private void learn(ServerAddress server, ByteBuf frame) {
        CommandIndex index;
        try {
            RespValue answer = RespValue.read(frame);
            if (answer.items().isEmpty()) {
                LOGGER.atInfo()
                        .addKeyValue("endpoint", server.endpoint())
                        .log("the server does not tell its commands; the table of Redis 7.0 is used");
                return;
            }
            index = new CommandIndex(CommandTable.of(answer));
        } finally {
            frame.release();
        }
        try {
            for (ProxyLoop loop : all) {
                loop.eventLoop.execute(() -> loop.commands = index);
            }
        } catch (RejectedExecutionException e) {
            LOGGER.atDebug().log("the proxy closed before it had learned the commands");
        }
    }
}
