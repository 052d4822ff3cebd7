package dev.eden.proxy.postgres;

import dev.eden.proxy.ChannelBinding;
import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One connection to a server: who holds it, whether a transaction is open, which named statements it has and which settings its session. What the server
 * says on it is for {@link ServerAnswers}.
 *
 * <pre>
 *   CONNECTING ─► (TLS) ─► LOGIN ─► READY ─► CLOSED
 * </pre>
 */
final class ServerConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOGGER = LoggerFactory.getLogger(ServerConnection.class);

    /** For what the proxy does on a server beside its clients' requests: one that takes longer is taken for lost. */
    static final Duration OWN_LIMIT = Duration.ofSeconds(5);

    /** Clients that wait for it are patient for longer. */
    private static final Duration LOGIN_LIMIT = Duration.ofSeconds(25);

    private enum Phase {
        CONNECTING,
        TLS,
        LOGIN,
        READY,
        CLOSED
    }

    final ServerPool pool;
    private final PostgresLoop loop;
    private final ServerLogin login;
    private final FrameScanner scanner = new FrameScanner();
    final Expectations expected = new Expectations();
    final ServerAnswers answers;
    final ServerStatements statements;
    final Map<String, String> reported = new LinkedHashMap<>();

    private @Nullable Channel channel;
    /** A server that says nothing must not keep one of its pool's few logins for ever. */
    private @Nullable ScheduledFuture<?> loginEnd;

    private Phase phase = Phase.CONNECTING;
    private boolean dirty;

    /** Who holds it; only that client's requests go out. */
    @Nullable
    ClientSession client;

    Settings settings;
    final SessionDefaults defaults;
    /** Null: not known, or reported. */
    private @Nullable String firstSearchPath;

    int status = 'I';
    int pid;
    byte[] secret = new byte[0];
    long idleSince;
    /** When the server had let this in; a {@code nanoTime}. */
    long connectedAt;
    /** Its pool counts it in. */
    boolean admitted;
    /** Cancel requests on their way: until they have arrived nobody else may get this connection. */
    int cancels;

    private @Nullable ErrorMessage farewell;
    /** Only what it heard as its client's is still wanted. */
    private boolean leaving;
    /** Its client went with requests under way. */
    private boolean orphaned;

    private boolean dirtySession;
    /** Its session has something that outlives DISCARD ALL. */
    private boolean keepsState;

    ServerConnection(ServerPool pool, ServerLogin login) {
        this.pool = pool;
        this.loop = pool.loop;
        this.login = login;
        this.settings = loop.settings.empty;
        this.defaults = new SessionDefaults(this);
        this.statements = new ServerStatements(this, loop.config.limits().preparedPerServer());
        this.answers = new ServerAnswers(this);
    }

    // ---- state

    /** The server lets it in. */
    boolean loggingIn() {
        return phase == Phase.LOGIN;
    }

    boolean ready() {
        return phase == Phase.READY;
    }

    /** The server's last words. */
    void endsWith(ErrorMessage words) {
        farewell = words;
    }

    boolean usable() {
        Channel here = channel;
        return phase == Phase.READY && here != null && here.isActive() && farewell == null;
    }

    /** True where a request, a transaction or a batch is under way. */
    boolean busy() {
        ClientSession holder = client;
        return !expected.isEmpty()
                || status != 'I'
                || answers.failedBatch()
                || answers.copyingIn()
                || holder != null && holder.messages.cutShort();
    }

    /** True where its client has the beginning of a message and not its end. */
    boolean passing() {
        return scanner.passing();
    }

    boolean writable() {
        Channel here = channel;
        return here != null && here.isWritable();
    }

    boolean transactionOpen() {
        return status != 'I';
    }

    // ---- settings

    /** False: the server says nothing of this setting, neither at the login nor when it changes. By index into {@link Settings#NAMES}. */
    boolean reports(int setting) {
        return reported.containsKey(Settings.NAMES[setting]);
    }

    /** The session has this now, as the proxy has made it or was told by other ways than a report. */
    void has(int setting, String value) {
        settings = loop.settings.with(settings, setting, value);
    }

    /** What a new session has of what the server does not report. */
    void began(String searchPath) {
        firstSearchPath = searchPath;
        has(Settings.SEARCH_PATH, searchPath);
    }

    /** Something is on its way that outlives DISCARD ALL: nobody else may have this. */
    void keepsState() {
        keepsState = true;
    }

    boolean hasState() {
        return keepsState;
    }

    /** What its client leaves, or what is still to come for that client, is nobody else's. */
    boolean unfitForOthers() {
        return keepsState || answers.doubtful();
    }

    /** The session is as new. */
    void begins() {
        defaults.begins();
    }

    /** What RESET brings back here. */
    Settings first() {
        return defaults.values();
    }

    /** DISCARD ALL has run: the session is as new. */
    void discarded() {
        statements.forget();
        String path = firstSearchPath;
        if (path != null) {
            has(Settings.SEARCH_PATH, path);
        }
    }

    // ---- output

    ByteBuf buffer() {
        return loop.buffer();
    }

    void write(ByteBuf bytes) {
        Channel here = channel;
        if (here == null) {
            bytes.release();
            return;
        }
        here.write(bytes, here.voidPromise());
        if (!dirty) {
            dirty = true;
            loop.flushLater(this);
        }
    }

    void flush() {
        dirty = false;
        Channel here = channel;
        if (here != null) {
            here.flush();
        }
    }

    /** Asks the server something for the proxy; only between requests of clients. */
    void exchange(Exchange exchange) {
        ByteBuf out = loop.buffer();
        exchange.write(out, settings.encoding());
        statements.unnamed = null;
        answers.expect(Kind.EXCHANGE, exchange);
        write(out);
    }

    /** As {@link #exchange(Exchange)}; a server that has not answered within {@code limit} is taken for lost. */
    void exchange(Exchange exchange, Duration limit) {
        ScheduledFuture<?> end = loop.eventLoop.schedule(() -> silent(limit), limit.toMillis(), TimeUnit.MILLISECONDS);
        exchange(exchange.first(_ -> end.cancel(false)));
    }

    private void silent(Duration limit) {
        loop.tick();
        fail(ErrorMessage.fatal(
                "08006",
                "eden: server " + pool.key.server().endpoint() + " has not answered the proxy within "
                        + limit.toMillis() + " ms"));
        loop.schedule();
    }

    // ---- reading

    void read(boolean wanted) {
        Channel here = channel;
        if (here != null && here.config().isAutoRead() != wanted) {
            here.config().setAutoRead(wanted);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        channel = context.channel();
        if (pool.isClosed()) {
            context.close();
            return;
        }
        long patience = LOGIN_LIMIT.toMillis();
        loginEnd = loop.eventLoop.schedule(() -> loginTooLong(patience), patience, TimeUnit.MILLISECONDS);
        if (pool.key.server().tls()) {
            phase = Phase.TLS;
            ByteBuf out = loop.buffer();
            out.writeInt(8).writeInt(Message.SSL_REQUEST);
            context.writeAndFlush(out, context.voidPromise());
        } else {
            startup(context);
        }
    }

    private void loginTooLong(long patience) {
        loop.tick();
        fail(ErrorMessage.fatal(
                "08001",
                "eden: server " + pool.key.server().endpoint() + " has not let the proxy in within " + patience
                        + " ms"));
        loop.schedule();
    }

    private void endLogin() {
        ScheduledFuture<?> end = loginEnd;
        if (end != null) {
            end.cancel(false);
            loginEnd = null;
        }
    }

    private void startup(ChannelHandlerContext context) {
        phase = Phase.LOGIN;
        ByteBuf out = loop.buffer();
        login.startup(out);
        context.writeAndFlush(out, context.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        loop.tick();
        ByteBuf bytes = (ByteBuf) message;
        if (phase == Phase.TLS) {
            encrypt(context, bytes);
            return;
        }
        try {
            scanner.read(bytes, answers);
        } catch (ProtocolViolation | IndexOutOfBoundsException e) {
            loop.counters.protocolErrors++;
            fail(ErrorMessage.fatal("08P01", "eden: the server's answer is not the protocol: " + e.getMessage()));
        }
        loop.schedule();
    }

    private void encrypt(ChannelHandlerContext context, ByteBuf bytes) {
        byte answer = bytes.readByte();
        boolean more = bytes.isReadable();
        bytes.release();
        if (answer != 'S' || more) {
            fail(ErrorMessage.fatal("08001", "eden: server " + pool.key.server().endpoint() + " does not support TLS"));
            return;
        }
        try {
            var tls = loop.connector.tls(context.channel(), pool.key.server());
            context.pipeline().addFirst(tls);
            tls.handshakeFuture().addListener(future -> {
                if (future.isSuccess()) {
                    login.encrypted(ChannelBinding.ofPeer(tls.engine().getSession()));
                    startup(context);
                } else {
                    fail(ErrorMessage.fatal("08001", "eden: TLS with the server failed: " + future.cause()));
                }
            });
        } catch (SSLException e) {
            fail(ErrorMessage.fatal("08001", "eden: TLS with the server failed: " + e.getMessage()));
        }
    }

    /** Its client has gone while requests were under way: they run to their end, and then the connection goes back. */
    void orphan(boolean dirty) {
        client = null;
        orphaned = true;
        dirtySession = dirty;
        read(true);
    }

    /** Something that its client had asked has been answered: with all of it the connection goes back. */
    void orphanAnswered() {
        if (orphaned && expected.isEmpty()) {
            orphaned = false;
            pool.reclaim(this, dirtySession || defaults.heard());
        }
    }

    /**
     * The client goes on elsewhere: one more round trip brings it what this session was told before, and then this ends. Nothing else of this
     * connection concerns the client any more. Where the server does not answer, nobody knows what it would have been told.
     */
    void hearOut() {
        ClientSession listener = client;
        leaving = true;
        read(true);
        loop.gate.hearsOut();
        Exchange last = new Exchange("SELECT 1", outcome -> {
            leaving = false;
            client = null;
            loop.gate.heardOut();
            close();
            if (outcome.error() != null && listener != null) {
                listener.crossing.endIfListening();
            }
        });
        exchange(last, OWN_LIMIT);
    }

    boolean leaving() {
        return leaving;
    }

    void loginMessage(byte type, ByteBuf in, int index, int total) {
        if (farewell != null) {
            return; // given up, whatever the server says behind it
        }
        switch (type) {
            case 'R' -> {
                prove(out -> {
                    Scram.Salting asked = login.salting(in, index, total);
                    byte[] salted = asked == null ? null : loop.saltedPasswords.known(asked);
                    if (asked == null || salted != null) {
                        login.answer(in, index, total, salted, out);
                    } else {
                        String serverFirst = Message.text(in, index + Message.HEADER + 4, index + total);
                        loop.saltedPasswords.derive(asked, derived -> salted(serverFirst, derived));
                    }
                });
            }
            case 'S' -> answers.parameters().told(in, index, total, null);
            case 'K' -> {
                pid = in.getInt(index + Message.HEADER);
                secret = new byte[total - Message.HEADER - 4];
                in.getBytes(index + Message.HEADER + 4, secret);
            }
            case 'E' -> fail(ErrorMessage.read(in, index, total));
            case 'Z' -> {
                phase = Phase.READY;
                endLogin();
                connectedAt = loop.now;
                pool.connected(this);
            }
            default -> {
                // a notice, or what is none of the proxy's business yet
            }
        }
    }

    /** The server waits for it, unless it has given up. */
    private void salted(String serverFirst, byte @Nullable [] derived) {
        Channel here = channel;
        if (phase == Phase.LOGIN && farewell == null && here != null && here.isActive()) {
            loop.tick();
            prove(out -> login.last(serverFirst, derived, out));
            loop.schedule();
        }
    }

    private void prove(Consumer<ByteBuf> proof) {
        ByteBuf out = loop.buffer();
        try {
            proof.accept(out);
        } catch (ProtocolViolation | IllegalArgumentException e) {
            out.release();
            fail(ErrorMessage.fatal(
                            "28P01",
                            "eden: cannot log in to server "
                                    + pool.key.server().endpoint() + " as " + pool.key.user() + ": "
                                    + e.getMessage())
                    .hint("See docs/postgres-authentication.md for when the proxy can become a user."));
            return;
        }
        Channel here = channel;
        if (out.isReadable() && here != null) {
            here.writeAndFlush(out, here.voidPromise());
        } else {
            out.release();
        }
    }

    // ---- end

    /** The server does not do what every session here begins with. */
    void refuse(ErrorMessage why) {
        if (farewell == null) {
            farewell = why;
        }
        close();
    }

    private void fail(ErrorMessage why) {
        farewell = why;
        close();
    }

    void close() {
        Channel here = channel;
        if (here == null) {
            return;
        }
        if (phase == Phase.READY && here.isActive() && expected.isEmpty()) {
            ByteBuf out = loop.buffer();
            Message.empty(out, 'X');
            here.writeAndFlush(out, here.voidPromise());
        }
        here.close();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        ClientSession holder = client;
        if (holder != null) {
            holder.updateReading();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        loop.tick();
        phase = Phase.CLOSED;
        endLogin();
        scanner.release();
        ErrorMessage why = farewell == null
                ? ErrorMessage.fatal(
                        "08006", "eden: server " + pool.key.server().endpoint() + " closed the connection")
                : farewell;
        answers.lost(why);
        pool.closed(this, why);
        ClientSession holder = client;
        if (holder != null) {
            client = null;
            if (!leaving) {
                holder.serverLost(farewell);
            }
        }
        answers.endExchanges();
        loop.schedule();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOGGER.atLevel(cause instanceof IOException ? Level.DEBUG : Level.ERROR)
                .addKeyValue("endpoint", pool.key.server().endpoint())
                .setCause(cause)
                .log("connection to a server failed");
        context.close();
    }
}
