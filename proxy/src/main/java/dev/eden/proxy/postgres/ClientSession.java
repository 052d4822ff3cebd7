package dev.eden.proxy.postgres;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One logged-in client: gets a connection to a server where a transaction begins, gives it back where one has ended, and goes on without one where
 * nothing is lost by that. What the client says is for {@link ClientMessages}, what it has on whatever connection it holds for the parts below.
 *
 * <pre>
 *            a message that must go out     its turn              as the client expects it
 *   LOGIN ─► FREE ─────────────► IN LINE ─────────────► PREPARING ────────────► HOLDS ◄──► a read ON THE STANDBY (what a pin holds waits)
 *             │▲  shut gate:        │ barrier, flip        │ lost                │ │
 *             ││  held till it opens│ cancel, long wait    │                     │ │
 *             │├────────────────────┴──────────────────────┘                     │ │
 *             │├── all answered, no transaction, no pin ─────────────────────────┤ │
 *             │├── lost, and nothing was asked ──────────────────────────────────┤ │
 *             │└── lost behind the barrier, or flipped: its state is carried ────┘ │
 *             ▼                                                                    ▼
 *           CLOSED ◄── the client's end; lost or flipped with requests under way (in doubt) or with state that cannot be carried
 * </pre>
 */
final class ClientSession extends ChannelInboundHandlerAdapter {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClientSession.class);

    final PostgresLoop loop;
    private final boolean sessionPooling;

    private final ClientChannel client;
    private final ClientInput input = new ClientInput();
    private final ClientLogin login;
    final ClientMessages messages;

    final PoolPlace place;
    final Preparation preparation;
    private @Nullable ServerConnection server;
    final Batches batches = new Batches();
    final Canary canary;
    final StandbyRead standbyRead;
    final Crossing crossing;

    final SessionSettings settings;
    final ClientStatements statements;
    final SessionPins pins;
    final ReadTransaction transaction;

    /** Among the loop's clients. */
    int index = -1;
    /** In a pool's line. */
    long waitingSince;

    private boolean heldCounted;
    /** The input goes no further before something else has happened. */
    private boolean blocked;
    /** {@link #process} is running. */
    private boolean processing;

    private boolean closed;
    /** A server was lost with half a message told: nothing more that is said would be understood. */
    private boolean cutShort;

    ClientSession(PostgresLoop loop, Channel channel, StartupPacket startup) {
        this.loop = loop;
        this.client = new ClientChannel(this, channel);
        this.sessionPooling = loop.config.pooling() == Pooling.SESSION;
        this.statements = new ClientStatements(loop.statements);
        this.settings = new SessionSettings(loop, startup.settings());
        this.pins = new SessionPins(this);
        this.place = new PoolPlace(this, startup);
        this.canary = new Canary(this);
        this.standbyRead = new StandbyRead(this);
        this.transaction = new ReadTransaction(this);
        this.crossing = new Crossing(this);
        this.preparation = new Preparation(this);
        this.login = new ClientLogin(this, startup);
        this.messages = new ClientMessages(this);
    }

    /** Goes on with what the client has already sent. */
    void begin(ByteBuf rest) {
        index = loop.clients.size();
        loop.clients.add(this);
        input.add(rest.alloc(), rest);
        process();
    }

    // ---- the client's input

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        loop.tick();
        ByteBuf bytes = (ByteBuf) message;
        if (closed) {
            bytes.release();
        } else {
            input.add(context.alloc(), bytes);
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
            if (login.done() || login.proceed()) {
                blocked = false;
                ByteBuf bytes = crossing.carriesNow() ? null : input.bytes();
                if (bytes != null && listens()) {
                    messages.read(bytes);
                }
            }
        } catch (ProtocolViolation | IndexOutOfBoundsException e) {
            loop.counters.protocolErrors++;
            end(ErrorMessage.fatal("08P01", String.valueOf(e.getMessage())));
        } finally {
            processing = false;
        }
        input.dropRead();
        giveBackIfIdle();
        updateReading();
    }

    boolean closed() {
        return closed;
    }

    /** What serves it now; null: nothing. */
    @Nullable
    ServerConnection server() {
        return server;
    }

    /** True where a batch by itself could go to another server than the one that a pin holds, if any does. */
    boolean betweenRequests() {
        ServerConnection holding = server;
        if (holding == null) {
            return !place.inLine() && !preparation.running();
        }
        return pins.onlyNamed()
                && !preparation.running()
                && !batches.underWay()
                && !holding.busy()
                && holding.cancels == 0;
    }

    /** True where this client's reads depend on its session with the active side. */
    boolean bound() {
        return pinned() && (sessionPooling || !pins.onlyNamed());
    }

    // ---- a connection to a server

    /** True where the message at hand may go out now over {@link #server}. */
    boolean mayGo() {
        ServerConnection holding = server;
        if (preparation.running()) {
            blocked = true;
            return false;
        }
        if (holding == null) {
            return acquire();
        }
        if (standbyRead.running()) {
            return true; // chosen just now, while the gate was open
        }
        if (batches.open() || holding.answers.wantsRows()) {
            return true;
        }
        boolean answered = batches.unanswered() == 0;
        if (answered && holding.transactionOpen()) {
            return true;
        }
        if (loop.gate.open() && (answered || pinned() || !holding.pool.contended())) {
            return true;
        }
        blocked = true;
        if (answered) {
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
    boolean acquire() {
        blocked = true;
        if (place.inLine() || preparation.running()) {
            return false;
        }
        if (!loop.gate.open() && !(loop.gate.turned() && crossing.toListen())) {
            countHeld();
            return false;
        }
        heldCounted = false;
        ServerPool from = place.pool();
        if (from == null) {
            refused(ErrorMessage.fatal("57P03", "eden: the interlay has no endpoint yet"));
            return false;
        }
        ServerConnection taken = from.take(this);
        if (taken == null) {
            loop.counters.waited++;
            if (!place.stand(from)) {
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

    /** The turn has come. */
    void granted(ServerConnection connection) {
        place.leftLine();
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
        place.leftLine();
        loop.wake(this);
    }

    /** Brings the connection's session to what the client expects; false: that takes a moment. */
    private boolean prepare(ServerConnection connection) {
        server = connection;
        connection.client = this;
        return preparation.prepare(connection);
    }

    /** What the client asks goes there from now on; null: nowhere yet. */
    void serveBy(@Nullable ServerConnection connection) {
        server = connection;
        if (connection == null) {
            messages.serverLost();
        }
    }

    /**
     * Brings back what a RESET is to bring back, and returns what the client is told of it before the last of its {@code signals} batches ends, which is
     * when a server tells it: drivers that wait for notifications alone understand nothing else after that. Null: nothing, or more is under way.
     */
    @Nullable
    ByteBuf toldAtTheEnd(int signals, int status) {
        boolean last = !batches.open() && batches.unanswered() == signals && !standbyRead.running();
        return last ? settings.resetIfAsked(server, pinned(), status, this::restored) : null;
    }

    private void restored() {
        process();
        probeForOthers();
    }

    private void settled(ServerConnection connection) {
        if (holds(connection)) {
            giveBackIfIdle();
            probeForOthers();
            process();
        }
    }

    private void probeForOthers() {
        ServerConnection holding = server;
        if (holding != null && pins.any() && !sessionPooling && input.readable() == 0) {
            pins.probeIfWanted(holding);
        }
    }

    /** Everything asked has been answered, {@code signals} batches just now. */
    void answered(int signals, int status) {
        batches.answered(signals);
        ByteBuf again = null;
        if (!standbyRead.running()) {
            canary.told(loop.now);
        } else if (batches.unanswered() == 0) {
            again = standbyRead.end();
        }
        if (!batches.underWay() && status == 'I') {
            ServerConnection holding = server;
            if (holding != null && holding.defaults.heard()) {
                settings.heard(holding, this::settled);
            }
            pins.rests();
            giveBackIfIdle();
            probeForOthers();
        }
        if (again != null) {
            input.prepend(again);
        }
        if (input.bytes() != null) {
            process();
        }
    }

    /** The connection on which the proxy may ask something of its own between the client's requests; null: none, or not now. */
    @Nullable
    ServerConnection probeable() {
        ServerConnection holding = server;
        boolean busy = holding == null
                || preparation.running()
                || batches.underWay()
                || holding.busy()
                || holding.answers.doubtful()
                || !holding.usable();
        return busy ? null : holding;
    }

    boolean holds(ServerConnection connection) {
        return server == connection && !closed;
    }

    /** Nothing more can be done with the input before something has been answered. */
    void blocked() {
        blocked = true;
    }

    void giveBackIfIdle() {
        ServerConnection holding = server;
        if (holding == null
                || preparation.running()
                || processing
                || pinned()
                || batches.underWay()
                || holding.busy()) {
            return;
        }
        server = null;
        holding.pool.release(holding);
        updateReading();
    }

    boolean pinned() {
        return pins.any() || sessionPooling;
    }

    /** True where its connection to a server is this client's alone from the first to the last statement. */
    boolean poolsSessions() {
        return sessionPooling;
    }

    /** The server says that a tracked setting has changed. */
    void changed(int setting, String value) {
        settings.changed(setting, value);
    }

    /** DISCARD ALL has run: nothing is left. */
    void discarded() {
        statements.clearNamed();
        pins.clear(server != null && server.hasState());
    }

    /** There is no connection to be had, and nothing has been asked yet. */
    void refused(ErrorMessage why) {
        place.leftLine();
        loop.counters.waitsRefused++;
        if (!why.sqlState().equals("57014")) {
            loop.traffic.failed();
        }
        ByteBuf bytes = input.bytes();
        if (!login.done() || crossing.carried() != null || bytes == null || bytes.readableBytes() < Message.HEADER) {
            end(why.as("FATAL"));
            return;
        }
        messages.refuse(bytes, why);
        loop.wake(this);
    }

    /** The connection is gone. What was asked may have run: then the client's connection goes too, as a lost server's would. */
    void serverLost(@Nullable ErrorMessage farewell) {
        ServerConnection lost = server;
        serveBy(null);
        if (closed || lost == null) {
            return;
        }
        if (standbyRead.running()) {
            readLost(lost);
            return;
        }
        cutShort = lost.passing();
        if (crossing.survives(lost)) {
            crossing.carry();
            return; // the fence fell on a session that rests: it goes on wherever the barrier opens
        }
        boolean asked = batches.underWay() || lost.transactionOpen();
        if (preparation.running() || (!asked && !pinned())) {
            loop.wake(this);
            return;
        }
        if (asked) {
            loop.counters.inDoubt++;
            loop.traffic.failed();
            LOGGER.atWarn()
                    .addKeyValue("endpoint", lost.pool.key.server().endpoint())
                    .addKeyValue("held", loop.gate.held())
                    .log(
                            "a connection was lost with requests under way ({} batches, open {}, status {}, probing {}): {}",
                            batches.unanswered(),
                            batches.open(),
                            (char) lost.status,
                            pins.probing(),
                            farewell == null ? "no word from the server" : farewell.message());
        }
        if (farewell != null && lost.answers.farewellPassed()) {
            finish(); // the server's own words are on their way already
        } else {
            end(ErrorMessage.fatal("08006", "eden: the connection to the server was lost")
                    .detail(
                            asked
                                    ? "Whether the last request has run is not known."
                                    : "The session's state went with it."));
        }
    }

    /** The standby's connection is gone with a read under way: reads are safe to repeat. */
    void readLost(ServerConnection lost) {
        cutShort = tells(lost);
        batches.lost();
        ByteBuf again = standbyRead.lost();
        if (again == null) {
            end(ErrorMessage.fatal("08006", "eden: the connection to the server was lost"));
        } else {
            input.prepend(again);
            loop.wake(this);
        }
    }

    // ---- cancel

    /** Cancels what this client has under way, and nothing else; {@code done} follows when the server has been told. */
    void cancel(Runnable done) {
        loop.tick();
        ServerConnection holding = server;
        if (!closed && holding != null && !preparation.running() && batches.underWay() && holding.usable()) {
            loop.counters.cancelsForwarded++;
            standbyRead.cancelled();
            CancelRequest.send(loop, holding, done);
            return;
        }
        if (!closed && login.done() && (place.inLine() || held())) {
            place.leaveLine();
            loop.counters.cancelsForwarded++;
            refused(ErrorMessage.error("57014", "canceling statement due to user request"));
        } else {
            loop.counters.cancelsIgnored++;
        }
        done.run();
    }

    /** True where a request waits for the gate, and nothing else of the client's is under way: it certainly has not run. */
    private boolean held() {
        ServerConnection holding = server;
        return blocked
                && (holding == null || !holding.busy())
                && !loop.gate.open()
                && !preparation.running()
                && !standbyRead.running()
                && !batches.underWay()
                && crossing.carried() == null
                && input.readable() >= Message.HEADER;
    }

    // ---- output

    /** Bytes for the client; taken over. */
    void deliver(ByteBuf bytes) {
        if (closed) {
            bytes.release();
            return;
        }
        if (standbyRead.keeps(bytes)) {
            return;
        }
        client.write(bytes);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        client.writabilityChanged();
        if (client.takes() && input.bytes() != null) {
            loop.wake(this);
        }
    }

    /** False: it does not read what it is told, and what it sends waits for that. */
    boolean listens() {
        boolean takes = client.takes();
        blocked |= !takes;
        return takes;
    }

    /** Reads from the client where that leads anywhere. */
    void updateReading() {
        boolean much = blocked && input.readable() >= loop.config.limits().inputBytes();
        client.read(!much);
    }

    // ---- end

    /** Says goodbye in these words and closes; without a word where the client would take them for the rest of a row. */
    void end(ErrorMessage why) {
        if (closed) {
            return;
        }
        ServerConnection holding = server;
        if (!cutShort && (holding == null || !tells(holding))) {
            ByteBuf out = loop.buffer();
            why.write(out);
            client.write(out);
        }
        finish();
    }

    /** True where the client is in the middle of a message of the server's. */
    private boolean tells(ServerConnection connection) {
        return connection.passing() && !standbyRead.keeping();
    }

    /** Nothing more is said: closes. */
    void finish() {
        leave();
        client.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        loop.tick();
        leave();
        loop.schedule();
    }

    private void leave() {
        if (closed) {
            return;
        }
        closed = true;
        login.forget();
        loop.left();
        ClientSession last = loop.clients.removeLast();
        if (last != this) {
            loop.clients.set(index, last);
            last.index = index;
        }
        place.leaveLine();
        ServerConnection holding = server;
        if (holding != null && standbyRead.running()) {
            holding.client = null;
            holding.close();
            server = null;
        } else if (holding != null && !preparation.running()) {
            server = null;
            boolean dirtySession = pinned() || holding.defaults.heard();
            if (batches.open()
                    || messages.cutShort()
                    || holding.answers.wantsRows()
                    || holding.transactionOpen() && batches.unanswered() == 0) {
                holding.client = null;
                holding.close();
            } else if (holding.busy()) {
                holding.orphan(dirtySession);
            } else {
                holding.pool.reclaim(holding, dirtySession);
            }
        }
        standbyRead.close();
        canary.close();
        statements.clear();
        place.leave();
        if (!processing) {
            input.release();
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        input.release();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        loop.tick();
        if (cause instanceof IOException) {
            context.close(); // the client has gone
            return;
        }
        failed(cause);
        loop.schedule();
    }

    /** Something that is nobody's protocol: this client ends, the others of its loop do not hear of it. */
    void failed(Throwable cause) {
        loop.counters.failures++;
        LOGGER.atError().setCause(cause).log("a client's session failed; its connection is closed");
        try {
            end(ErrorMessage.fatal("XX000", "eden: the proxy failed on this session: " + cause));
        } catch (OutOfMemoryError e) {
            finish(); // not even for the words
        }
    }
}
