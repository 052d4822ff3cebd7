package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a client is after its commands so far (login, database, protocol, name), and where its next one goes: each is answered here, sent, or waits,
 * and its reply comes in its turn.
 */
final class Session {
    final ClientConnection client;
    final ProxyLoop loop;

    Identity identity = Identity.ANONYMOUS;
    int database;
    int protocol = 2;

    @Nullable
    String name;

    final ReplyMode replyMode;
    final Connections connections;
    final Transactions transactions;
    final Crossing crossing;
    final Listening listening;
    private boolean lastIdsAsked;
    private final LocalCommands local;
    private final Canary canary;
    private final Acknowledgements acknowledgements;

    Session(ClientConnection client) {
        this.client = client;
        this.loop = client.loop;
        this.replyMode = new ReplyMode(client);
        this.connections = new Connections(this);
        this.transactions = new Transactions(this);
        this.crossing = new Crossing(this);
        this.listening = new Listening(this);
        this.local = new LocalCommands(this);
        this.canary = new Canary(this);
        this.acknowledgements = new Acknowledgements(client);
    }

    // ---- dispatch

    /** Sends or answers the request at hand; false when it has to wait. {@code spec} null: a command nobody knows. */
    boolean dispatch(@Nullable CommandSpec spec) {
        if (crossing.mayReturn() || !replyMode.aloud()) {
            return false;
        }
        boolean skipped = replyMode.begin();
        boolean done = handle(spec);
        if (done) {
            listening.passed(spec);
        } else if (skipped) {
            replyMode.again();
        }
        return done;
    }

    private boolean handle(@Nullable CommandSpec spec) {
        if (!transactions.settle()) {
            return false;
        }
        if (loop.gate.active() == null) {
            return fail("ERR eden: interlay has no endpoint yet");
        }
        Handling handling = spec == null ? Handling.UNKNOWN : spec.handling();
        if (acknowledgements.full() || (acknowledgements.outstanding() && !keeps(handling))) {
            return false; // too many are kept, or its reply would overtake them
        }
        Transaction open = transactions.open();
        if (open != null) {
            return queue(open, handling);
        }
        return switch (handling) {
            case SHARED -> shared();
            case SCRIPT_ADMIN -> {
                if (local.debugsScripts()) {
                    yield fail(LocalCommands.SCRIPT_DEBUG);
                }
                local.remember();
                yield shared();
            }
            case SCRIPT_READ -> {
                local.remember();
                yield shared();
            }
            case READ -> read(spec);
            case SCRIPT, UNKNOWN -> once();
            case BLOCKING -> block();
            case SCAN -> scan();
            case MULTI -> transactions.multi();
            case EXEC -> fail("ERR EXEC without MULTI");
            case DISCARD -> fail("ERR DISCARD without MULTI");
            case WATCH -> transactions.watch();
            case UNWATCH -> transactions.unwatch();
            case SUBSCRIBE -> listening.subscribe();
            case MONITOR -> listening.monitor();
            case AUTH -> local.auth();
            case HELLO -> local.hello();
            case SELECT -> local.select();
            case CLIENT -> local.client();
            case RESET -> local.reset();
            case QUIT -> local.quit();
            case REFUSED ->
                fail("ERR eden: " + Ascii.lower(client.argument(0)) + " is not available through the proxy");
        };
    }

    /** Whether replies to such commands are kept where the route wants that. */
    static boolean keeps(Handling handling) {
        return switch (handling) {
            case SHARED, SCRIPT_ADMIN, READ, SCRIPT_READ, SCRIPT, UNKNOWN, EXEC -> true;
            case BLOCKING,
                    SCAN,
                    MULTI,
                    DISCARD,
                    WATCH,
                    UNWATCH,
                    SUBSCRIBE,
                    MONITOR,
                    AUTH,
                    HELLO,
                    SELECT,
                    CLIENT,
                    RESET,
                    QUIT,
                    REFUSED -> false;
        };
    }

    private boolean queue(Transaction open, Handling handling) {
        if (!open.ending && handling == Handling.QUIT) {
            return local.quit();
        }
        if (!open.ending && handling == Handling.RESET) {
            return local.reset();
        }
        String why = local.unavailableInTransaction(handling);
        if (why != null) {
            return transactions.refuseOne(open, handling, why);
        }
        if (handling == Handling.SCRIPT || handling == Handling.SCRIPT_READ || handling == Handling.SCRIPT_ADMIN) {
            local.remember();
        } else if (handling == Handling.CLIENT) {
            connections.alter(); // whatever it changes there is not for others
        }
        return transactions.queue(open, handling, handling == Handling.CLIENT ? local.saidByExec() : null);
    }

    /**
     * There is no connection for the request at hand, which nothing is in flight before: it gets the reason. What a client may have sent
     * behind it on the understanding that it works must not run without it: commands behind MULTI are queued for nothing.
     */
    void refuse(String why, @Nullable CommandSpec spec) {
        replyMode.begin();
        if (!transactions.refuse(why, spec == null ? Handling.UNKNOWN : spec.handling())) {
            fail(why);
        }
    }

    /** Answers the request at hand with an error, in its turn. */
    boolean fail(String message) {
        if (client.inFlight() > 0) {
            return false;
        }
        client.consume();
        client.error(message);
        return true;
    }

    /** Answers the request at hand, in its turn. */
    boolean answer(Consumer<ByteBuf> writer) {
        if (client.inFlight() > 0) {
            return false;
        }
        client.consume();
        client.answer(writer);
        return true;
    }

    /** RESET: back to a new connection's state. */
    void resetAll() {
        connections.abandon();
        transactions.clear();
        replyMode.on();
        listening.clear();
        connections.close();
        identity = Identity.ANONYMOUS;
        database = 0;
        protocol = 2;
        name = null;
        connections.forgetPool();
    }

    /** True where commands must go over the exclusive connection. */
    boolean pinned() {
        return transactions.pins() || listening.active();
    }

    // ---- requests

    /** Sends the request at hand where stateless commands go. */
    boolean shared() {
        BackendConnection connection = connections.any();
        if (connection == null) {
            return false;
        }
        return forward(connection);
    }

    private boolean read(@Nullable CommandSpec spec) {
        if (!loop.gate.canaries() || spec == null) {
            canary.leave();
            return shared();
        }
        return switch (canary.choose(spec)) {
            case ACTIVE -> shared();
            case WAIT -> false;
            case STANDBY -> canary.send() || shared();
        };
    }

    /** Sends the request at hand, its reply to the client: at once, or as the route wants replies kept. */
    boolean forward(BackendConnection connection) {
        if (!crossing.behindFence()) {
            client.forward(connection, target(connection));
            return true;
        }
        if (client.inFlight() > 0) {
            return false;
        }
        crossing.sendRepeatably(connection);
        return true;
    }

    /** Who takes the reply to a request that goes out now: the client, or those who keep it as the route wants. */
    private ReplyTarget target(BackendConnection connection) {
        return loop.gate.acknowledgesBoth() || acknowledgements.outstanding()
                ? acknowledgements.next(connection)
                : client;
    }

    /** Ends a request with its whole reply: at once, or as the route wants replies kept. */
    void deliver(ByteBuf frame) {
        if (loop.gate.acknowledgesBoth()) {
            acknowledgements.keep(frame);
        } else {
            client.output(frame);
            client.finished();
        }
    }

    private boolean once() {
        BackendConnection connection = connections.exclusive();
        if (connection == null) {
            return false;
        }
        local.remember();
        return forward(connection);
    }

    private boolean scan() {
        BackendConnection connection = connections.any();
        if (connection == null || (loop.gate.acknowledgesBoth() && client.inFlight() > 0)) {
            return false;
        }
        int tag = loop.gate.activeTag();
        List<byte[]> arguments = client.arguments();
        ScanCursor.untag(arguments, tag);
        ByteBuf out = loop.buffer();
        RespWriter.command(out, arguments);
        client.substitute(connection, out, new ScanCursor(client, connection, tag));
        return true;
    }

    private boolean block() {
        List<byte[]> arguments = client.arguments();
        int timeoutAt = BlockingCall.timeoutPosition(arguments);
        if (timeoutAt < 0) {
            return shared();
        }
        if (client.inFlight() > 0) {
            return false;
        }
        BackendConnection connection = connections.exclusive();
        if (connection == null) {
            return false;
        }
        boolean asked = lastIdsAsked;
        lastIdsAsked = false;
        if (!asked && LastIds.needed(arguments)) {
            client.consume();
            LastIds.resolve(client, connection, arguments);
            return true;
        }
        WaitMark mark = WaitMark.needed(arguments) ? WaitMark.send(client, connection, arguments) : null;
        crossing.block(new BlockingCall(client, connection, arguments, timeoutAt, mark), connection);
        return true;
    }

    /** The blocking command that is at hand next goes out as it is. */
    void lastIdsAsked() {
        lastIdsAsked = true;
    }

    // ---- replies

    void replied(BackendConnection connection, long sent, long now, byte type) {
        transactions.replied(type);
        count(connection, sent, now, type);
    }

    void count(BackendConnection connection, long sent, long now, byte type) {
        if (connection.pool.onActive()) {
            canary.activeReplied(now);
        }
        loop.traffic.record(connection.pool.onActive(), now - sent, type == '-' || type == '!');
    }

    // ---- requests too large to collect

    /** The connection that the one at hand goes over; null when it has to wait. */
    @Nullable
    BackendConnection forLarge() {
        if (crossing.mayReturn() || !replyMode.aloud() || acknowledgements.full()) {
            return null;
        }
        transactions.requireLargePossible();
        BackendConnection connection = connections.exclusive();
        if (connection != null) {
            replyMode.begin();
            transactions.queueLarge();
            listening.passed(null);
        }
        return connection;
    }

    /** Who takes the reply to it. */
    ReplyTarget forLarge(BackendConnection connection) {
        Transaction open = transactions.open();
        return open == null || open.ending ? target(connection) : client;
    }

    void close() {
        connections.abandon();
        connections.close();
        connections.forgetPool();
        transactions.close();
        listening.close();
    }
}
