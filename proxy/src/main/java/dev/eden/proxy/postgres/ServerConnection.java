package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One connection to a server. It knows what the server still has to answer, whether a transaction is open, which named statements it has and
 * which settings its session; it hands answers to the client that holds it and swallows those to what the proxy asked itself.
 *
 * <pre>
 *   CONNECTING ─► (TLS) ─► LOGIN ─► READY ─► CLOSED
 * </pre>
 */
final class ServerConnection extends ChannelInboundHandlerAdapter implements FrameScanner.Sink {
    private static final Logger LOGGER = LoggerFactory.getLogger(ServerConnection.class);

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
    final ServerStatements statements;
    final Map<String, String> reported = new LinkedHashMap<>();

    private @Nullable Channel channel;
    private Phase phase = Phase.CONNECTING;
    private boolean dirty;

    /** Who holds it; only that client's requests go out. */
    @Nullable
    ClientSession client;

    Settings settings;
    int status = 'I';
    int pid;
    byte[] secret = new byte[0];
    long idleSince;
    /** When the server had let this in; a {@code nanoTime}. */
    long connectedAt;
    /** Its pool counts it in. */
    boolean admitted;
    /** An error ended the current batch, and the client has not sent that batch's Sync yet. */
    private boolean failedBatch;
    /** A COPY from the client is running: Syncs are ignored until its end. */
    private boolean copyingIn;
    /** Cancel requests on their way: until they have arrived nobody else may get this connection. */
    int cancels;

    private @Nullable ErrorMessage farewell;
    private boolean farewellPassed;
    private int readySignals;
    private boolean answerDue;

    ServerConnection(ServerPool pool, ServerLogin login) {
        this.pool = pool;
        this.loop = pool.loop;
        this.login = login;
        this.settings = loop.settings.empty;
        this.statements = new ServerStatements(this, loop.config.limits().preparedPerServer());
    }

    // ---- state

    boolean usable() {
        Channel here = channel;
        return phase == Phase.READY && here != null && here.isActive() && farewell == null;
    }

    /** True where a request, a transaction or a batch is under way. */
    boolean busy() {
        return !expected.isEmpty() || status != 'I' || failedBatch || copyingIn;
    }

    boolean writable() {
        Channel here = channel;
        return here != null && here.isWritable();
    }

    boolean transactionOpen() {
        return status != 'I';
    }

    boolean failedBatch() {
        return failedBatch;
    }

    boolean copyingIn() {
        return copyingIn;
    }

    void copyEnded() {
        copyingIn = false;
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

    void expect(Kind kind, @Nullable Object subject) {
        if (kind.endsBatch()) {
            failedBatch = false;
        } else if (failedBatch) {
            return; // the server skips it
        }
        expected.add(kind, subject, loop.now);
        if (kind.answeredHere()) {
            answerHere();
        }
    }

    /** Asks the server something for the proxy; only between requests of clients. */
    void exchange(Exchange exchange) {
        ByteBuf out = loop.buffer();
        exchange.write(out);
        statements.unnamed = null;
        expect(Kind.EXCHANGE, exchange);
        write(out);
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
        if (pool.key.server().tls()) {
            phase = Phase.TLS;
            ByteBuf out = loop.buffer();
            out.writeInt(8).writeInt(Message.SSL_REQUEST);
            context.writeAndFlush(out, context.voidPromise());
        } else {
            startup(context);
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
            scanner.read(bytes, this);
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
                    startup(context);
                } else {
                    fail(ErrorMessage.fatal("08001", "eden: TLS with the server failed: " + future.cause()));
                }
            });
        } catch (SSLException e) {
            fail(ErrorMessage.fatal("08001", "eden: TLS with the server failed: " + e.getMessage()));
        }
    }

    @Override
    public boolean whole(byte type) {
        return switch (type) {
            case 'Z', 'E', 'S', 'K', 'R', 'v', '1', '2', '3', 'T', 'n', 'C', 'I', 's', 'G', 'W' -> true;
            case 'D' -> expected.first() == Kind.EXCHANGE;
            default -> false;
        };
    }

    @Override
    public FrameScanner.Verdict streamed(byte type, int total) {
        if (phase != Phase.READY || client == null) {
            return FrameScanner.Verdict.DROP;
        }
        return expected.first() == Kind.EXCHANGE && type != 'A' ? FrameScanner.Verdict.DROP : FrameScanner.Verdict.PASS;
    }

    @Override
    public FrameScanner.Verdict message(byte type, ByteBuf in, int index, int total) {
        if (phase == Phase.LOGIN) {
            loggingIn(type, in, index, total);
            return FrameScanner.Verdict.DROP;
        }
        Kind first = expected.first();
        if (type == 'S') {
            return parameter(in, index, total, first);
        }
        if (type == 'Z') {
            return ready(in, index, first);
        }
        if (first == Kind.EXCHANGE) {
            if (type == 'D') {
                subject(Exchange.class).row(in, index, total);
            } else if (type == 'E') {
                ErrorMessage error = ErrorMessage.read(in, index, total);
                subject(Exchange.class).failed(error);
                if (error.fatal()) {
                    farewell = error;
                }
            }
            return FrameScanner.Verdict.DROP;
        }
        switch (type) {
            case 'E' -> {
                return error(in, index, total);
            }
            case '1' -> {
                return parsed(first);
            }
            case '3' -> {
                expected.remove();
                return first == Kind.OWN_CLOSE ? dropped() : passed();
            }
            case '2' -> expected.remove();
            case 'T', 'n' -> {
                if (first == Kind.DESCRIBE) {
                    expected.remove();
                }
            }
            case 'C' -> {
                tag(in, index, total);
                if (first == Kind.EXECUTE) {
                    expected.remove();
                }
                copyingIn = false;
            }
            case 'I', 's' -> {
                if (first == Kind.EXECUTE) {
                    expected.remove();
                }
            }
            case 'G', 'W' -> {
                if (first == Kind.EXECUTE) {
                    copyingIn = true;
                    ClientSession holder = client;
                    int ignored = expected.dropSyncs();
                    if (holder != null) {
                        holder.batches.syncsIgnored(ignored);
                    }
                }
            }
            default -> {
                // passes as it is
            }
        }
        return passed();
    }

    private <T> T subject(Class<T> type) {
        return type.cast(java.util.Objects.requireNonNull(expected.subject()));
    }

    private FrameScanner.Verdict passed() {
        return answersHere() ? FrameScanner.Verdict.PASS_THEN_CUT : FrameScanner.Verdict.PASS;
    }

    private FrameScanner.Verdict dropped() {
        return answersHere() ? FrameScanner.Verdict.DROP_THEN_CUT : FrameScanner.Verdict.DROP;
    }

    private boolean answersHere() {
        Kind next = expected.first();
        answerDue = next != null && next.answeredHere();
        return answerDue;
    }

    private void answerHere() {
        for (Kind next = expected.first(); next != null && next.answeredHere(); next = expected.first()) {
            if (next == Kind.KNOWN_PARSE && expected.subject() instanceof ClientStatements.Entry entry) {
                entry.confirm();
            }
            expected.remove();
            ClientSession holder = client;
            if (holder != null) {
                ByteBuf out = loop.buffer();
                Message.empty(out, next == Kind.KNOWN_PARSE ? '1' : '3');
                holder.deliver(out);
            }
        }
    }

    private FrameScanner.Verdict parsed(@Nullable Kind first) {
        if (first != Kind.PARSE && first != Kind.OWN_PARSE) {
            throw new ProtocolViolation("ParseComplete where none was due");
        }
        if (expected.subject() instanceof ClientStatements.Entry entry) {
            statements.parsed(entry);
        }
        expected.remove();
        return first == Kind.OWN_PARSE ? dropped() : passed();
    }

    private FrameScanner.Verdict parameter(ByteBuf in, int index, int total, @Nullable Kind first) {
        int from = index + Message.HEADER;
        int nameEnd = Message.endOfString(in, from, index + total);
        int valueEnd = Message.endOfString(in, nameEnd + 1, index + total);
        if (nameEnd < 0 || valueEnd < 0) {
            throw new ProtocolViolation("malformed ParameterStatus");
        }
        String name = Message.text(in, from, nameEnd);
        String value = Message.text(in, nameEnd + 1, valueEnd);
        reported.put(name, value);
        int tracked = Settings.index(name);
        if (tracked >= 0) {
            settings = loop.settings.with(settings, tracked, value);
        }
        ClientSession holder = client;
        if (holder == null || first == Kind.EXCHANGE) {
            return FrameScanner.Verdict.DROP;
        }
        if (tracked >= 0) {
            holder.changed(tracked, value);
        }
        return FrameScanner.Verdict.PASS;
    }

    private FrameScanner.Verdict ready(ByteBuf in, int index, @Nullable Kind first) {
        int newStatus = in.getByte(index + Message.HEADER);
        if (first == null || !first.endsBatch()) {
            throw new ProtocolViolation("ReadyForQuery where none was due");
        }
        long began = expected.time();
        status = newStatus;
        copyingIn = false;
        ClientSession reader = client;
        if (first != Kind.EXCHANGE && reader != null && reader.transaction.open()) {
            in.setByte(index + Message.HEADER, reader.transaction.status()); // it knows itself in a transaction
        }
        if (first == Kind.EXCHANGE) {
            Exchange exchange = subject(Exchange.class);
            expected.remove();
            ended.add(exchange);
            answersHere(); // what the client has asked behind it
            return FrameScanner.Verdict.DROP_THEN_CUT;
        }
        expected.remove();
        loop.traffic.record(pool.onActive(), loop.now - began, failedRequest);
        failedRequest = false;
        readySignals++;
        return FrameScanner.Verdict.PASS_THEN_CUT;
    }

    /** Its client has gone while requests were under way: they run to their end, and then the connection goes back. */
    void orphan(boolean dirty) {
        client = null;
        orphaned = true;
        dirtySession = dirty;
        read(true);
    }

    /**
     * The client goes on elsewhere: one more round trip brings it what this session was told before, and then this ends. Nothing else of this
     * connection concerns the client any more.
     */
    void hearOut() {
        leaving = true;
        read(true);
        loop.gate.hearsOut();
        exchange(new Exchange("SELECT 1", outcome -> {
            leaving = false;
            client = null;
            loop.gate.heardOut();
            close();
        }));
    }

    boolean leaving() {
        return leaving;
    }

    private boolean leaving;
    private boolean orphaned;
    private boolean dirtySession;
    private final List<Exchange> ended = new ArrayList<>(1);
    private boolean failedRequest;

    @Override
    public void cut() {
        if (answerDue) {
            answerDue = false;
            answerHere();
        }
        if (readySignals > 0) {
            int signals = readySignals;
            readySignals = 0;
            ClientSession holder = client;
            answerHere();
            if (holder != null) {
                holder.answered(signals, status);
            } else if (orphaned && expected.isEmpty()) {
                orphaned = false;
                pool.reclaim(this, dirtySession);
            }
        }
        while (!ended.isEmpty()) {
            ended.removeFirst().end();
        }
    }

    private FrameScanner.Verdict error(ByteBuf in, int index, int total) {
        failedRequest = true;
        copyingIn = false;
        ErrorMessage error = ErrorMessage.read(in, index, total);
        ClientSession reader = client;
        boolean hidden = reader != null && reader.standbyRead.hides(error);
        if (error.fatal()) {
            farewell = error;
            ClientSession holder = client;
            if (hidden || holder != null && holder.crossing.survives()) {
                return FrameScanner.Verdict.DROP;
            }
            if (holder == null) {
                // behind the barrier it is Eden's own fence that ends them
                LOGGER.atLevel(loop.gate.held() ? Level.DEBUG : Level.INFO)
                        .addKeyValue("endpoint", pool.key.server().endpoint())
                        .log("the server ended an idle connection: {} {}", error.sqlState(), error.message());
            }
        } else {
            if (expected.isEmpty()) {
                failedBatch = client != null; // of the batch whose answers so far have all come
            } else {
                statements.stale(error, expected.subject());
                if (!expected.skipToEndOfBatch(this::skipped)) {
                    failedBatch = true;
                }
            }
        }
        farewellPassed = error.fatal() && client != null;
        return client == null || hidden ? FrameScanner.Verdict.DROP : FrameScanner.Verdict.PASS;
    }

    /** True where the client has been told in the server's own words why its session ends. */
    boolean farewellPassed() {
        return farewellPassed;
    }

    private void skipped(Object subject) {
        ClientSession holder = client;
        if (holder != null && subject instanceof ClientStatements.Entry entry) {
            holder.statements.skipped(entry);
        }
    }

    private void tag(ByteBuf in, int index, int total) {
        ClientSession holder = client;
        if (total < 16 || in.getByte(index + Message.HEADER) != 'D' || holder == null) {
            return;
        }
        String tag = Message.text(in, index + Message.HEADER, index + total - 1);
        if (tag.equals("DISCARD ALL")) {
            statements.forget();
            holder.discarded();
        } else if (tag.equals("DEALLOCATE ALL")) {
            statements.forget();
            holder.statements.clear();
        }
    }

    @Override
    public void pass(ByteBuf slice) {
        ClientSession holder = client;
        if (holder == null) {
            slice.release();
        } else {
            holder.deliver(slice);
        }
    }

    private void loggingIn(byte type, ByteBuf in, int index, int total) {
        switch (type) {
            case 'R' -> {
                ByteBuf out = loop.buffer();
                try {
                    login.answer(in, index, total, out);
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
            case 'S' -> parameter(in, index, total, null);
            case 'K' -> {
                pid = in.getInt(index + Message.HEADER);
                secret = new byte[total - Message.HEADER - 4];
                in.getBytes(index + Message.HEADER + 4, secret);
            }
            case 'E' -> fail(ErrorMessage.read(in, index, total));
            case 'Z' -> {
                phase = Phase.READY;
                connectedAt = loop.now;
                pool.connected(this);
            }
            default -> {
                // a notice, or what is none of the proxy's business yet
            }
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
        scanner.release();
        ErrorMessage why = farewell == null
                ? ErrorMessage.fatal(
                        "08006", "eden: server " + pool.key.server().endpoint() + " closed the connection")
                : farewell;
        while (!expected.isEmpty()) {
            Object subject = expected.subject();
            expected.remove();
            if (subject instanceof Exchange exchange) {
                exchange.failed(why);
                ended.add(exchange);
            }
        }
        pool.closed(this, why);
        ClientSession holder = client;
        if (holder != null) {
            client = null;
            if (!leaving) {
                holder.serverLost(farewell);
            }
        }
        while (!ended.isEmpty()) {
            ended.removeFirst().end();
        }
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
