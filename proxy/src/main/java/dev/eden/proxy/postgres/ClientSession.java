package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One logged-in client: reads its messages in order, gets a connection to a server where a transaction begins, gives it back where one has ended, and
 * carries from connection to connection what belongs to the client: settings, prepared statements, and over a flip the state of its session.
 *
 * <pre>
 *                     begin a batch               all answered, no transaction, no pin
 *   welcome ─► FREE ─────────────► IN LINE ─► HOLDS a connection ─────────────────────► FREE
 *                │    gate shut       │            │  └─ pinned: keeps it; a probe that finds nothing frees it
 *                └─────── held ◄──────┘            └─ connection lost: FREE if nothing was asked, else closed in doubt
 * </pre>
 */
final class ClientSession extends ChannelInboundHandlerAdapter {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClientSession.class);
    private static final long PROBE_PAUSE = 100_000_000;

    /** A statement's text may be this long; larger ones are refused, because it may have to be sent again. */
    private static final int LONGEST_PARSE = 64 << 20;

    final PostgresLoop loop;
    private final Channel channel;
    private final StartupPacket startup;
    private final boolean sessionPooling;
    final ClientStatements statements;
    private final Cancels.Key cancelKey;
    final Canary canary;

    int index = -1;
    long waitingSince;

    private @Nullable Settings settings;
    private @Nullable Settings loginSettings;
    private boolean welcomed;
    private boolean closed;

    private @Nullable ServerPool pool;
    private @Nullable ServerConnection server;
    private boolean inLine;
    private boolean preparing;
    private boolean heldCounted;

    private @Nullable ByteBuf in;
    private int runStart = -1;
    private int streaming;
    private boolean streamingAway;
    private boolean blocked;
    private boolean processing;
    private boolean dirty;

    /** Batches sent and not yet answered by ReadyForQuery. */
    private int unanswered;
    /** Messages of a batch are out and its Sync is not. */
    private boolean batchOpen;

    private boolean discardUntilSync;
    private boolean resets;

    private int pins;
    private long idleSince;
    private boolean unprobed;
    private boolean probing;
    private long probedAt;
    private @Nullable SessionState found;
    private @Nullable SessionState carried;

    ClientSession(PostgresLoop loop, Channel channel, StartupPacket startup) {
        this.loop = loop;
        this.channel = channel;
        this.startup = startup;
        this.sessionPooling = loop.config.pooling() == Pooling.SESSION;
        this.statements = new ClientStatements(loop.statements);
        this.canary = new Canary(this);
        this.cancelKey = loop.cancels.register(this, startup.minor() >= 2);
    }

    /** Goes on with what the client has already sent. */
    void begin(ByteBuf rest) {
        index = loop.clients.size();
        loop.clients.add(this);
        if (rest.isReadable()) {
            in = rest;
        } else {
            rest.release();
        }
        process();
    }

    // ---- the client's input

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        loop.tick();
        ByteBuf bytes = (ByteBuf) message;
        ByteBuf before = in;
        if (closed) {
            bytes.release();
        } else if (before == null) {
            in = bytes;
        } else if (before.isReadable()) {
            in = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(context.alloc(), before, bytes);
        } else {
            before.release();
            in = bytes;
        }
        process();
        loop.schedule();
    }

    /** Goes as far as it can with what has been read. */
    void process() {
        if (closed || processing) {
            return;
        }
        processing = true;
        try {
            if (welcomed || login()) {
                blocked = false;
                if (!carryEagerly()) {
                    run();
                }
            }
        } catch (ProtocolViolation | IndexOutOfBoundsException e) {
            loop.counters.protocolErrors++;
            end(ErrorMessage.fatal("08P01", String.valueOf(e.getMessage())));
        } finally {
            processing = false;
        }
        ByteBuf rest = in;
        if (rest != null && !rest.isReadable()) {
            in = null;
            rest.release();
        }
        giveBackIfIdle();
        updateReading();
    }

    private void run() {
        ByteBuf bytes = in;
        if (bytes == null) {
            return;
        }
        try {
            boolean more = true;
            while (more && !closed) {
                more = step(bytes);
            }
        } finally {
            endRun(bytes);
        }
    }

    /** Sends what has been passed over since the last message that was changed. */
    private void endRun(ByteBuf bytes) {
        int from = runStart;
        runStart = -1;
        int to = bytes.readerIndex();
        if (from >= 0 && to > from) {
            ServerConnection holding = server;
            if (holding != null) {
                holding.write(bytes.retainedSlice(from, to - from));
            }
        }
    }

    private boolean step(ByteBuf bytes) {
        int readable = bytes.readableBytes();
        if (streaming > 0) {
            int part = Math.min(streaming, readable);
            if (!streamingAway && runStart < 0) {
                runStart = bytes.readerIndex();
            }
            bytes.skipBytes(part);
            streaming -= part;
            return part > 0;
        }
        if (readable < Message.HEADER) {
            return false;
        }
        int start = bytes.readerIndex();
        byte type = bytes.getByte(start);
        int length = bytes.getInt(start + 1);
        if (length < 4 || length > Message.MAX_LENGTH) {
            throw new ProtocolViolation("invalid message length");
        }
        int total = length + 1;
        boolean whole = readable >= total;
        if (discardUntilSync) {
            return discard(bytes, type, total, readable);
        }
        if (!whole && type != 'd') {
            if (type == 'P' && total > LONGEST_PARSE) {
                throw new ProtocolViolation("a statement of " + total + " bytes");
            }
            if (type == 'P'
                    || total <= loop.config.limits().collectBytes()
                    || readable < loop.config.limits().collectBytes()) {
                return false;
            }
        }
        if (canary.running() && !batchOpen && unanswered > 0) {
            blocked = true; // one read at a time there: it may have to be repeated here
            return false;
        }
        if (server == null && !inLine && !preparing && (type == 'Q' || type == 'P' || type == 'B')) {
            if (canary.choose(bytes, start, settings) == Canary.Choice.WAIT) {
                blocked = true;
                return false;
            }
        }
        return switch (type) {
            case 'X' -> {
                bytes.skipBytes(readable);
                endRun(bytes);
                finish();
                yield false;
            }
            case 'd', 'c', 'f' -> copyData(bytes, type, total, readable);
            case 'Q', 'F' -> query(bytes, type, start, total, readable);
            case 'P', 'B', 'D', 'E', 'C', 'S', 'H' -> extended(bytes, type, start, total, readable);
            default -> throw new ProtocolViolation("invalid frontend message type " + (type & 0xff));
        };
    }

    private void pass(ByteBuf bytes, int total, int readable) {
        if (runStart < 0) {
            runStart = bytes.readerIndex();
        }
        if (total <= readable) {
            bytes.skipBytes(total);
        } else {
            bytes.skipBytes(readable);
            streaming = total - readable;
            streamingAway = false;
        }
    }

    private void drop(ByteBuf bytes, int total, int readable) {
        endRun(bytes);
        int part = Math.min(total, readable);
        bytes.skipBytes(part);
        streaming = total - part;
        streamingAway = true;
    }

    private boolean discard(ByteBuf bytes, byte type, int total, int readable) {
        if (type == 'S') {
            discardUntilSync = false;
            drop(bytes, total, readable);
            ByteBuf out = loop.buffer();
            Message.readyForQuery(out, 'I');
            deliver(out);
        } else if (type == 'X') {
            finish();
            return false;
        } else {
            drop(bytes, total, readable);
        }
        return true;
    }

    private boolean copyData(ByteBuf bytes, byte type, int total, int readable) {
        ServerConnection holding = server;
        if (holding == null) {
            drop(bytes, total, readable); // left over from a COPY that failed, as the server drops it
            return true;
        }
        if (type != 'd') {
            holding.copyEnded();
        }
        pass(bytes, total, readable);
        return true;
    }

    private boolean query(ByteBuf bytes, byte type, int start, int total, int readable) {
        StatementText.Effect effect = StatementText.Effect.NONE;
        if (type == 'Q') {
            int end = start + Math.min(total, readable);
            effect = total > readable
                    ? StatementText.Effect.UNKNOWN
                    : StatementText.classify(bytes, start + Message.HEADER, end);
            String name = effect.deallocates();
            if (name != null && statements.has(name)) {
                return deallocate(bytes, name, total, readable);
            }
        } else {
            effect = StatementText.Effect.UNKNOWN;
        }
        if (!mayGo()) {
            return false;
        }
        ServerConnection holding = java.util.Objects.requireNonNull(server);
        countPassing(bytes, start, holding);
        apply(effect, holding);
        holding.unnamed = null;
        statements.dropUnnamed();
        holding.expect(Kind.QUERY, null);
        unanswered++;
        batchOpen = false;
        pass(bytes, total, readable);
        return true;
    }

    /** A read that is where it is because of what goes on around it. */
    private void countPassing(ByteBuf bytes, int start, ServerConnection holding) {
        if (canary.running()) {
            return;
        }
        if (holding.transactionOpen()) {
            canary.passes(bytes, start, "transaction");
        } else if (pinned()) {
            canary.passes(bytes, start, "pinned");
        } else if (unanswered > 0) {
            canary.passes(bytes, start, "pipelined");
        }
    }

    /** The connection pool of the active side, if this session has one. */
    @Nullable
    ServerPool activePool() {
        return pool();
    }

    /** The standby serves the batch at hand. */
    void serveOn(ServerConnection standby) {
        server = standby;
    }

    /** DEALLOCATE of a statement that the client made by the protocol: a matter between it and the proxy. */
    private boolean deallocate(ByteBuf bytes, String name, int total, int readable) {
        ServerConnection holding = server;
        if (unanswered > 0 || batchOpen) {
            blocked = true;
            return false;
        }
        int status = holding == null ? 'I' : holding.status;
        statements.close(name);
        drop(bytes, total, readable);
        ByteBuf out = loop.buffer();
        if (status == 'E') {
            ErrorMessage.error(
                            "25P02", "current transaction is aborted, commands ignored until end of transaction block")
                    .write(out);
        } else {
            Message.commandComplete(out, "DEALLOCATE");
        }
        Message.readyForQuery(out, status);
        deliver(out);
        return true;
    }

    private boolean extended(ByteBuf bytes, byte type, int start, int total, int readable) {
        if (server == null && !batchOpen && (type == 'S' || type == 'H')) {
            drop(bytes, total, readable);
            if (type == 'S') {
                ByteBuf out = loop.buffer();
                Message.readyForQuery(out, 'I');
                deliver(out);
            }
            return true;
        }
        if (!mayGo()) {
            return false;
        }
        ServerConnection holding = java.util.Objects.requireNonNull(server);
        if (type == 'S') {
            if (!holding.copyingIn()) {
                holding.expect(Kind.SYNC, null);
                unanswered++;
                batchOpen = false;
            }
            pass(bytes, total, readable);
            return true;
        }
        batchOpen = true;
        if (holding.failedBatch()) {
            pass(bytes, total, readable); // the server skips it
            return true;
        }
        switch (type) {
            case 'P' -> {
                return parse(bytes, start, total, holding);
            }
            case 'B' -> {
                return bind(bytes, start, total, readable, holding);
            }
            case 'D' -> {
                return describe(bytes, start, total, holding);
            }
            case 'C' -> close(bytes, start, total, holding);
            case 'E' -> {
                holding.expect(Kind.EXECUTE, null);
                pass(bytes, total, readable);
            }
            default -> pass(bytes, total, readable);
        }
        return true;
    }

    private boolean parse(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int from = start + Message.HEADER;
        int end = start + total;
        int nameEnd = endOfString(bytes, from, end);
        if (nameEnd == from) {
            Prepared statement = statements.parseUnnamed(bytes, from + 1, end);
            apply(statement.effect, holding);
            holding.unnamed = statement;
            holding.expect(Kind.PARSE, null);
            pass(bytes, total, total);
            return true;
        }
        String name = Message.text(bytes, from, nameEnd);
        ClientStatements.Entry before = statements.find(bytes, from, nameEnd);
        if (before != null && before.confirmed()) {
            return parseAgain(bytes, start, total, nameEnd, before.statement(), holding);
        }
        ClientStatements.Entry entry = statements.parse(name, bytes, nameEnd + 1, end);
        Prepared statement = entry.statement();
        if (!holding.has(statement)) {
            switch (holding.expected.parsing(statement)) {
                case NO -> {
                    endRun(bytes);
                    ByteBuf out = loop.buffer();
                    holding.makeRoom(out);
                    if (out.isReadable()) {
                        holding.write(out);
                    } else {
                        out.release();
                    }
                    holding.expect(Kind.PARSE, entry);
                    rename(bytes, start, nameEnd, total, 'P', new byte[0], statement.name(), holding);
                    return true;
                }
                case EARLIER_BATCH -> {
                    statements.skipped(entry);
                    blocked = true;
                    return false;
                }
                case SAME_BATCH -> {
                    // will be there
                }
            }
        }
        endRun(bytes);
        bytes.skipBytes(total);
        holding.expect(Kind.KNOWN_PARSE, entry);
        return true;
    }

    /** A name that is taken: the server says so, in its words, about a statement that it has. */
    private boolean parseAgain(
            ByteBuf bytes, int start, int total, int nameEnd, Prepared statement, ServerConnection holding) {
        if (!provide(bytes, statement, holding)) {
            return false;
        }
        endRun(bytes);
        holding.expect(Kind.PARSE, null);
        rename(bytes, start, nameEnd, total, 'P', new byte[0], statement.name(), holding);
        return true;
    }

    /** Makes sure that the server has a named statement; false: that is not known before something else is answered. */
    private boolean provide(ByteBuf bytes, Prepared statement, ServerConnection holding) {
        if (!holding.has(statement)) {
            switch (holding.expected.parsing(statement)) {
                case NO -> {
                    endRun(bytes);
                    holding.prepare(statement, true);
                }
                case EARLIER_BATCH -> {
                    blocked = true;
                    return false;
                }
                case SAME_BATCH -> {
                    // will be there
                }
            }
        }
        return true;
    }

    private boolean bind(ByteBuf bytes, int start, int total, int readable, ServerConnection holding) {
        countPassing(bytes, start, holding);
        int from = start + Message.HEADER;
        int end = start + Math.min(total, readable);
        int portalEnd = endOfString(bytes, from, end);
        int nameEnd = endOfString(bytes, portalEnd + 1, end);
        if (nameEnd == portalEnd + 1) {
            Prepared unnamed = statements.unnamed();
            if (unnamed != null && holding.unnamed != unnamed) {
                endRun(bytes);
                holding.prepare(unnamed, false);
            }
            if (unnamed != null) {
                apply(unnamed.effect, holding);
            }
            holding.expect(Kind.BIND, null);
            pass(bytes, total, readable);
            return true;
        }
        ClientStatements.Entry entry = statements.find(bytes, portalEnd + 1, nameEnd);
        if (entry == null) {
            holding.expect(Kind.BIND, null);
            pass(bytes, total, readable); // made by PREPARE, or not at all: the server knows
            return true;
        }
        Prepared statement = entry.statement();
        if (!provide(bytes, statement, holding)) {
            return false;
        }
        apply(statement.effect, holding);
        endRun(bytes);
        holding.expect(Kind.BIND, statement);
        byte[] portal = new byte[portalEnd + 1 - from];
        bytes.getBytes(from, portal);
        rename(bytes, start, nameEnd, total, 'B', portal, statement.name(), holding);
        return true;
    }

    private boolean describe(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int kind = bytes.getByte(start + Message.HEADER);
        int from = start + Message.HEADER + 1;
        int nameEnd = endOfString(bytes, from, start + total);
        if (kind == 'S') {
            if (nameEnd == from) {
                Prepared unnamed = statements.unnamed();
                if (unnamed != null && holding.unnamed != unnamed) {
                    endRun(bytes);
                    holding.prepare(unnamed, false);
                }
            } else {
                ClientStatements.Entry entry = statements.find(bytes, from, nameEnd);
                if (entry != null) {
                    if (!provide(bytes, entry.statement(), holding)) {
                        return false;
                    }
                    endRun(bytes);
                    holding.expect(Kind.DESCRIBE, entry.statement());
                    rename(
                            bytes,
                            start,
                            nameEnd,
                            total,
                            'D',
                            new byte[] {'S'},
                            entry.statement().name(),
                            holding);
                    return true;
                }
            }
        }
        holding.expect(Kind.DESCRIBE, null);
        pass(bytes, total, total);
        return true;
    }

    private void close(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int kind = bytes.getByte(start + Message.HEADER);
        int from = start + Message.HEADER + 1;
        int nameEnd = endOfString(bytes, from, start + total);
        if (kind == 'S' && nameEnd > from) {
            ClientStatements.Entry entry = statements.close(Message.text(bytes, from, nameEnd));
            if (entry != null) {
                endRun(bytes);
                bytes.skipBytes(total);
                holding.expect(Kind.KNOWN_CLOSE, entry);
                return;
            }
        } else if (kind == 'S') {
            statements.dropUnnamed();
            holding.unnamed = null;
        }
        holding.expect(Kind.CLOSE, null);
        pass(bytes, total, total);
    }

    /** Sends the message with another name of a statement; what follows the name goes as it is. */
    private void rename(
            ByteBuf bytes,
            int start,
            int nameEnd,
            int total,
            char type,
            byte[] before,
            byte[] name,
            ServerConnection holding) {
        int rest = start + total - nameEnd;
        ByteBuf out = loop.buffer();
        out.writeByte(type)
                .writeInt(4 + before.length + name.length + rest)
                .writeBytes(before)
                .writeBytes(name);
        holding.write(out);
        int readable = bytes.writerIndex() - start;
        bytes.readerIndex(nameEnd);
        runStart = nameEnd;
        if (total <= readable) {
            bytes.readerIndex(start + total);
        } else {
            bytes.readerIndex(bytes.writerIndex());
            streaming = total - readable;
            streamingAway = false;
        }
    }

    private static int endOfString(ByteBuf bytes, int from, int limit) {
        int end = Message.endOfString(bytes, from, limit);
        if (end < 0) {
            throw new ProtocolViolation("invalid string in message");
        }
        return end;
    }

    /** Notes what a statement leaves in the session. */
    private void apply(StatementText.Effect effect, ServerConnection holding) {
        unprobed = true;
        if (effect == StatementText.Effect.NONE) {
            return;
        }
        int wanted = effect.pins();
        if ((wanted & Pin.SETTING.bit()) != 0 && wanted == Pin.SETTING.bit() && onlySearchPath(effect, holding)) {
            wanted = 0;
        }
        int added = wanted & ~pins;
        pins |= wanted;
        for (Pin pin : Pin.of(added)) {
            loop.counters.pins[pin.ordinal()]++;
        }
        resets |= effect.resets();
    }

    private static boolean onlySearchPath(StatementText.Effect effect, ServerConnection holding) {
        return effect.onlySearchPath() && holding.reported.containsKey(Settings.NAMES[Settings.SEARCH_PATH]);
    }

    // ---- a connection to a server

    /** True where the message at hand may go out now over {@link #server}. */
    private boolean mayGo() {
        ServerConnection holding = server;
        if (preparing) {
            blocked = true;
            return false;
        }
        if (holding == null) {
            return acquire();
        }
        if (batchOpen || holding.copyingIn()) {
            return true;
        }
        if (unanswered == 0 && holding.transactionOpen()) {
            return true;
        }
        if (loop.gate.open() && (unanswered == 0 || pinned() || !holding.pool.contended())) {
            return true;
        }
        blocked = true;
        if (unanswered == 0) {
            countHeld();
        }
        return false;
    }

    private void countHeld() {
        if (!heldCounted) {
            heldCounted = true;
            loop.counters.held++;
        }
    }

    /** Gets a connection; false: it will come, or a refusal, and then {@link #process} goes on. */
    private boolean acquire() {
        blocked = true;
        if (inLine || preparing) {
            return false;
        }
        if (!loop.gate.open() && !(loop.gate.turned() && toListen())) {
            countHeld();
            return false;
        }
        heldCounted = false;
        ServerPool from = pool();
        if (from == null) {
            refused(ErrorMessage.fatal("57P03", "eden: the interlay has no endpoint yet"));
            return false;
        }
        ServerConnection taken = from.take(this);
        if (taken == null) {
            loop.counters.waited++;
            if (from.await(this)) {
                inLine = !hasServer();
            } else {
                refused(ErrorMessage.fatal("53300", "eden: too many clients wait for a connection to the server"));
            }
            return false;
        }
        if (!prepare(taken)) {
            return false;
        }
        blocked = false;
        return true;
    }

    private boolean hasServer() {
        return server != null;
    }

    private @Nullable ServerPool pool() {
        ServerPool known = pool;
        if (known != null) {
            return known;
        }
        Backend active = loop.gate.activeBackend();
        if (active == null) {
            return null;
        }
        PoolKey key = new PoolKey(ServerAddress.of(active), startup.database(), startup.user(), startup.options());
        ServerPool found = loop.pool(key.on(active));
        found.references++;
        pool = found;
        return found;
    }

    private void leavePool() {
        ServerPool known = pool;
        if (known != null) {
            known.references--;
            known.unusedSince = loop.now;
            pool = null;
        }
    }

    /** The turn has come. */
    void granted(ServerConnection connection) {
        inLine = false;
        if (closed) {
            connection.pool.release(connection);
            return;
        }
        if (prepare(connection)) {
            process();
        }
    }

    /** The line was emptied: the barrier has come. */
    void outOfLine() {
        inLine = false;
        loop.wake(this);
    }

    /** Brings the connection's session to what the client expects; false: that takes a moment. */
    private boolean prepare(ServerConnection connection) {
        server = connection;
        connection.client = this;
        Settings wanted = settings;
        if (wanted == null) {
            ServerPool.Welcome welcome = connection.pool.welcome();
            wanted = welcome == null ? connection.settings : welcome.settings();
            for (Map.Entry<Integer, String> one : startup.settings().entrySet()) {
                wanted = loop.settings.with(wanted, one.getKey(), one.getValue());
            }
            settings = wanted;
        }
        SessionState carry = carried;
        Map<String, String> differences =
                wanted.satisfiedBy(connection.settings) ? Map.of() : wanted.differencesTo(connection.settings);
        if (differences.isEmpty() && carry == null) {
            return true;
        }
        preparing = true;
        StringBuilder sql = new StringBuilder();
        if (!differences.isEmpty()) {
            sql.append(Settings.statement(differences)).append(';');
        }
        if (carry != null) {
            sql.append(carry.statements());
        }
        Settings asked = wanted;
        connection.exchange(new Exchange(sql.toString(), outcome -> {
            preparing = false;
            if (server != connection) {
                process(); // lost meanwhile, and nothing has been asked: try another
                return;
            }
            prepared(connection, asked, outcome.error());
        }));
        return false;
    }

    private void prepared(ServerConnection connection, Settings asked, @Nullable ErrorMessage error) {
        if (closed) {
            server = null;
            connection.pool.reclaim(connection, true);
            return;
        }
        if (error != null) {
            if (!connection.usable()) {
                return; // its end follows
            }
            server = null;
            connection.pool.reclaim(connection, true);
            end(error.as("FATAL"));
            return;
        }
        // servers that do not report a setting have it now all the same
        for (int i = 0; i < Settings.NAMES.length; i++) {
            String value = asked.value(i);
            if (value != null && connection.settings.value(i) == null) {
                connection.settings = loop.settings.with(connection.settings, i, value);
            }
        }
        settings = connection.settings;
        connection.pool.remember(asked, connection.settings);
        if (carried != null) {
            found = carried;
            pins = carried.pins();
            carried = null;
            unprobed = false;
            loop.counters.sessionsCarried++;
        }
        process();
    }

    /** Everything asked has been answered, {@code signals} batches just now. */
    void answered(int signals, int status) {
        unanswered -= signals;
        ByteBuf again = null;
        if (!canary.running()) {
            canary.told(loop.now);
        } else if (unanswered == 0) {
            again = canary.end();
        }
        if (unanswered == 0 && !batchOpen && status == 'I') {
            idleSince = loop.now;
            if (resets) {
                reset();
            }
            giveBackIfIdle();
            probeIfWanted();
        }
        if (again != null) {
            prepend(again);
        }
        if (in != null) {
            process();
        }
    }

    /** The request stands before everything that has been read since. */
    private void prepend(ByteBuf request) {
        ByteBuf rest = in;
        in = rest == null ? request : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(request.alloc(), request, rest);
    }

    /** After RESET: what has the server's default now has the client's, as its startup packet said. */
    private void reset() {
        resets = false;
        ServerConnection holding = server;
        Settings mine = loginSettings;
        Settings now = settings;
        if (holding == null || mine == null || now == null) {
            return;
        }
        ServerPool.Welcome welcome = holding.pool.welcome();
        for (int i = 0; welcome != null && i < Settings.NAMES.length; i++) {
            String original = mine.value(i);
            String current = now.value(i);
            if (original != null
                    && current != null
                    && current.equals(welcome.settings().value(i))) {
                now = loop.settings.with(now, i, original);
            }
        }
        settings = now;
    }

    private void giveBackIfIdle() {
        ServerConnection holding = server;
        if (holding == null || preparing || processing || pinned() || unanswered > 0 || batchOpen || holding.busy()) {
            return;
        }
        server = null;
        holding.pool.release(holding);
        updateReading();
    }

    boolean pinned() {
        return pins != 0 || sessionPooling;
    }

    /** Batches' Syncs that the server ignores because a COPY from the client runs. */
    void syncsIgnored(int count) {
        unanswered -= count;
        batchOpen = true;
    }

    /** The server says that a tracked setting has changed. */
    void changed(int setting, String value) {
        if (canary.running()) {
            return; // the standby's own business
        }
        Settings now = settings;
        if (now != null) {
            settings = loop.settings.with(now, setting, value);
        }
    }

    /** DISCARD ALL has run: nothing is left. */
    void discarded() {
        statements.clear();
        pins = 0;
    }

    /** DEALLOCATE ALL has run. */
    void deallocated() {
        statements.clear();
    }

    /** There is no connection to be had, and nothing has been asked yet. */
    void refused(ErrorMessage why) {
        inLine = false;
        loop.counters.waitsRefused++;
        ByteBuf bytes = in;
        if (!welcomed || carried != null || bytes == null || bytes.readableBytes() < Message.HEADER) {
            end(why.as("FATAL"));
            return;
        }
        byte type = bytes.getByte(bytes.readerIndex());
        ByteBuf out = loop.buffer();
        why.as("ERROR").write(out);
        if (type == 'Q' || type == 'F') {
            drop(bytes, bytes.getInt(bytes.readerIndex() + 1) + 1, bytes.readableBytes());
            Message.readyForQuery(out, 'I');
        } else {
            discardUntilSync = true;
        }
        deliver(out);
        loop.wake(this);
    }

    /** The connection is gone. What was asked may have run: then the client's connection goes too, as a lost server's would. */
    void serverLost(@Nullable ErrorMessage farewell) {
        ServerConnection lost = server;
        server = null;
        if (closed || lost == null) {
            return;
        }
        if (canary.running()) {
            readLost();
            return;
        }
        if (survives(lost)) {
            carry();
            return; // the fence fell on a session that rests: it goes on wherever the barrier opens
        }
        boolean asked = unanswered > 0 || batchOpen || lost.transactionOpen();
        if (preparing || (!asked && !pinned())) {
            loop.wake(this);
            return;
        }
        if (asked) {
            loop.counters.inDoubt++;
            LOGGER.atWarn()
                    .addKeyValue("endpoint", lost.pool.key.server().endpoint())
                    .addKeyValue("held", loop.gate.held())
                    .log(
                            "a connection was lost with requests under way ({} batches, open {}, status {}, probing {}): {}",
                            unanswered,
                            batchOpen,
                            (char) lost.status,
                            probing,
                            farewell == null ? "no word from the server" : farewell.message());
        }
        if (farewell != null && lost.farewellPassed()) {
            closed(true); // the server's own words are on their way already
        } else {
            end(ErrorMessage.fatal("08006", "eden: the connection to the server was lost")
                    .detail(
                            asked
                                    ? "Whether the last request has run is not known."
                                    : "The session's state went with it."));
        }
    }

    /** The standby's connection is gone with a read under way: reads are safe to repeat. */
    private void readLost() {
        unanswered = 0;
        batchOpen = false;
        ByteBuf again = canary.lost();
        if (again == null) {
            end(ErrorMessage.fatal("08006", "eden: the connection to the server was lost"));
        } else {
            prepend(again);
            loop.wake(this);
        }
    }

    // ---- login

    /** Tells the client who serves it, once a session on the server has been seen with its settings; false: not yet. */
    private boolean login() {
        if (inLine || preparing) {
            return false;
        }
        ServerPool from = pool();
        if (from == null) {
            end(ErrorMessage.fatal("57P03", "eden: the interlay has no endpoint yet"));
            return false;
        }
        ServerConnection holding = server;
        if (holding == null) {
            ServerPool.Welcome known = from.welcome();
            Settings mine = known == null ? null : known.settings();
            for (Map.Entry<Integer, String> one : startup.settings().entrySet()) {
                mine = mine == null ? null : loop.settings.with(mine, one.getKey(), one.getValue());
            }
            Settings seen = mine == null || known == null
                    ? null
                    : mine.satisfiedBy(known.settings()) ? known.settings() : from.canonical(mine);
            if (seen == null) {
                if (!acquire()) {
                    return false;
                }
                seen = java.util.Objects.requireNonNull(server).settings;
            }
            settings = seen;
        }
        welcomed = true;
        loginSettings = settings;
        sendWelcome(from);
        return true;
    }

    private void sendWelcome(ServerPool from) {
        Map<String, String> reported = new LinkedHashMap<>();
        ServerPool.Welcome welcome = from.welcome();
        if (welcome != null) {
            reported.putAll(welcome.reported());
        }
        Settings mine = settings;
        for (int i = 0; mine != null && i < Settings.NAMES.length; i++) {
            String value = mine.value(i);
            if (value != null && reported.containsKey(Settings.NAMES[i])) {
                reported.put(Settings.NAMES[i], value);
            }
        }
        ByteBuf out = loop.buffer();
        reported.forEach((name, value) -> Message.parameterStatus(out, name, value));
        Message.backendKey(out, cancelKey.pid(), cancelKey.secret());
        Message.readyForQuery(out, 'I');
        deliver(out);
    }

    // ---- barrier

    /** New transactions wait from now on. */
    void hold() {
        giveBackIfIdle();
        ServerConnection holding = server;
        if (holding != null && pinned() && (unprobed || found == null)) {
            probe();
        }
    }

    /** True where nothing of this client is under way on a server. */
    boolean resting() {
        ServerConnection holding = server;
        return holding == null || (!holding.busy() && !batchOpen && unanswered == 0 && probedIfPinned(holding));
    }

    private boolean probedIfPinned(ServerConnection holding) {
        if (!pinned() || !unprobed || holding.busy()) {
            return true;
        }
        probe(); // it was busy when the hold came
        return !probing;
    }

    /** Why this client's session would end with a flip; null where it would go on. */
    @Nullable
    String cannotBeCarried() {
        if (server == null || !pinned()) {
            return null;
        }
        SessionState state = found;
        if (state == null || unprobed) {
            return Pin.UNKNOWN.label();
        }
        int lost = state.bound() | (pins & Pin.HIDDEN.bit());
        return lost == 0 ? null : Pin.of(lost).getFirst().label();
    }

    /** The other side has the authority now. */
    void flipped() {
        ServerConnection old = server;
        if (inLine) {
            ServerPool line = pool;
            if (line != null) {
                line.leaveLine(this);
            }
            inLine = false;
        }
        leavePool();
        if (old == null) {
            return;
        }
        if (canary.running()) {
            server = null;
            old.client = null;
            old.close();
            readLost();
            return;
        }
        if (preparing) {
            return; // the exchange ends with the connection, and nothing has been asked
        }
        if (unanswered > 0 || batchOpen || old.transactionOpen()) {
            loop.counters.inDoubt++;
            end(ErrorMessage.fatal("57P01", "eden: the interlay has moved to another server")
                    .detail("Whether the last transaction has committed is not known."));
            return;
        }
        if (pinned()) {
            String reason = cannotBeCarried();
            if (reason != null) {
                loop.counters.sessionsEnded++;
                end(ErrorMessage.fatal("57P01", "eden: the interlay has moved to another server")
                        .detail("The session has state that cannot be carried over: " + reason + ".")
                        .hint("Connect again."));
                return;
            }
            carry();
            if (toListen() && old.usable()) {
                server = null;
                old.hearOut();
                return;
            }
        }
        old.client = null;
        server = null;
        found = null;
    }

    /** True where this session listens on a channel. */
    boolean listens() {
        SessionState state = found;
        return server != null && state != null && !state.channels().isEmpty();
    }

    /** True where it has yet to listen on the server that it was carried to. */
    boolean toListen() {
        SessionState carry = carried;
        return !closed && carry != null && !carry.channels().isEmpty();
    }

    /** Takes the state of a session that was looked at along to the next connection. */
    private void carry() {
        SessionState state = found;
        carried = state == null || state.pins() == 0 ? null : state;
        pins = 0;
        found = null;
    }

    /** True where the loss of the connection would cost this client nothing: it rests behind the barrier, and its state is known. */
    boolean survives() {
        ServerConnection holding = server;
        return holding != null && survives(holding);
    }

    private boolean survives(ServerConnection holding) {
        return loop.gate.held()
                && pinned()
                && !probing
                && !preparing
                && unanswered == 0
                && !batchOpen
                && !holding.transactionOpen()
                && !unprobed
                && found != null
                && ((found.bound() | pins & Pin.HIDDEN.bit()) == 0);
    }

    /** LISTEN must go on although the client asks nothing. True: its connection is on the way. */
    private boolean carryEagerly() {
        SessionState carry = carried;
        if (carry == null || carry.channels().isEmpty() || server != null || preparing) {
            return preparing;
        }
        return !acquire();
    }

    // ---- pins

    /** Looks whether a pinned session that rests still has state. */
    void probeIfIdle(long before) {
        ServerConnection holding = server;
        if (holding != null && pins != 0 && unprobed && !sessionPooling && idleSince - before < 0 && !closed) {
            probe();
        }
    }

    /** Others wait, or nobody knows what the last statement did: looks at once, at most every tenth of a second where there was something. */
    private void probeIfWanted() {
        ServerConnection holding = server;
        if (holding == null || pins == 0 || sessionPooling || in != null && in.isReadable()) {
            return;
        }
        boolean guess = (pins & Pin.UNKNOWN.bit()) != 0;
        if ((guess || holding.pool.contended()) && (found == null || loop.now - probedAt > PROBE_PAUSE)) {
            probe();
        }
    }

    private void probe() {
        ServerConnection holding = server;
        if (holding == null
                || probing
                || preparing
                || unanswered > 0
                || batchOpen
                || holding.busy()
                || !holding.usable()) {
            return;
        }
        probing = true;
        probedAt = loop.now;
        unprobed = false;
        holding.exchange(new Exchange(SessionState.PROBE, outcome -> {
            probing = false;
            if (server != holding || closed) {
                return;
            }
            if (outcome.error() != null) {
                found = null;
                return;
            }
            SessionState state = SessionState.of(outcome.rows());
            found = state;
            if (!unprobed) {
                int hidden = pins & Pin.HIDDEN.bit();
                if (state.pins() == 0 && hidden == 0 && pins != 0) {
                    loop.counters.pinsProbedClean++;
                }
                pins = state.pins() | hidden;
                giveBackIfIdle();
            }
        }));
    }

    // ---- cancel

    /** Cancels what this client has under way, and nothing else; {@code done} follows when the server has been told. */
    void cancel(Runnable done) {
        loop.tick();
        ServerConnection holding = server;
        if (!closed && holding != null && !preparing && (unanswered > 0 || batchOpen) && holding.usable()) {
            loop.counters.cancelsForwarded++;
            canary.cancelled();
            CancelRequest.send(loop, holding, done);
            return;
        }
        if (!closed && welcomed && inLine) {
            ServerPool line = pool;
            if (line != null) {
                line.leaveLine(this);
            }
            loop.counters.cancelsForwarded++;
            refused(ErrorMessage.error("57014", "canceling statement due to user request"));
        } else {
            loop.counters.cancelsIgnored++;
        }
        done.run();
    }

    // ---- output

    /** Bytes for the client; taken over. */
    void deliver(ByteBuf bytes) {
        if (closed) {
            bytes.release();
            return;
        }
        if (canary.keeps(bytes)) {
            return;
        }
        channel.write(bytes, channel.voidPromise());
        if (!dirty) {
            dirty = true;
            loop.flushLater(this);
        }
        if (!channel.isWritable()) {
            ServerConnection holding = server;
            if (holding != null) {
                holding.read(false);
            }
        }
    }

    void flush() {
        dirty = false;
        channel.flush();
        ServerConnection holding = server;
        if (holding != null && channel.isWritable()) {
            holding.read(true);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        ServerConnection holding = server;
        if (holding != null) {
            holding.read(channel.isWritable());
        }
    }

    /** Reads from the client where that leads anywhere. */
    void updateReading() {
        ServerConnection holding = server;
        ByteBuf bytes = in;
        boolean full = holding != null && !holding.writable();
        boolean much = blocked
                && bytes != null
                && bytes.readableBytes() >= loop.config.limits().inputBytes();
        boolean wanted = !full && !much;
        if (channel.config().isAutoRead() != wanted) {
            channel.config().setAutoRead(wanted);
        }
    }

    // ---- end

    /** Says goodbye in these words and closes. */
    void end(ErrorMessage why) {
        if (closed) {
            return;
        }
        ByteBuf out = loop.buffer();
        why.write(out);
        deliver(out);
        closed(true);
    }

    /** The client has said goodbye. */
    private void finish() {
        closed(true);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        loop.tick();
        closed(false);
        loop.schedule();
    }

    private void closed(boolean close) {
        if (!closed) {
            closed = true;
            leave();
        }
        if (close) {
            channel.writeAndFlush(io.netty.buffer.Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void leave() {
        loop.cancels.forget(cancelKey.pid());
        loop.left();
        ClientSession last = loop.clients.removeLast();
        if (last != this) {
            loop.clients.set(index, last);
            last.index = index;
        }
        if (inLine) {
            ServerPool line = pool;
            if (line != null) {
                line.leaveLine(this);
            }
            inLine = false;
        }
        ServerConnection holding = server;
        if (holding != null && !preparing) {
            server = null;
            boolean dirtySession = pinned();
            if (batchOpen || holding.copyingIn() || holding.transactionOpen() && unanswered == 0) {
                holding.client = null;
                holding.close();
            } else if (holding.busy()) {
                holding.orphan(dirtySession);
            } else {
                holding.pool.reclaim(holding, dirtySession);
            }
        }
        canary.close();
        statements.clear();
        leavePool();
        ByteBuf bytes = in;
        if (bytes != null && !processing) {
            in = null;
            bytes.release();
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        ByteBuf bytes = in;
        if (bytes != null) {
            in = null;
            bytes.release();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        loop.tick();
        if (cause instanceof IOException) {
            context.close(); // the client has gone
            return;
        }
        loop.counters.failures++;
        LOGGER.atError().setCause(cause).log("a client's session failed; its connection is closed");
        end(ErrorMessage.fatal("XX000", "eden: the proxy failed on this session: " + cause));
        loop.schedule();
    }
}
