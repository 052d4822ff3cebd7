package dev.eden.proxy.redis;

import dev.eden.proxy.Route;
import dev.eden.proxy.resp.ProtocolError;
import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a client has built up by its commands: login, database, protocol, an open transaction, watched keys, subscriptions. Decides which
 * connection a command needs and takes everything off a server when the barrier comes.
 */
final class Session {
    final ClientConnection client;
    final ProxyLoop loop;
    private final LocalCommands local;

    Identity identity = Identity.ANONYMOUS;
    int database;
    int protocol = 2;

    @Nullable
    String name;

    boolean muted;
    int skip;

    private @Nullable BackendPool pool;
    private @Nullable BackendConnection exclusive;
    private boolean reserved;
    private boolean acquiring;
    /** The wait for a connection that is under way; one that was given up is told by it from the one that followed. */
    private @Nullable Object waiting;

    private @Nullable Transaction transaction;
    private boolean watching;
    private boolean watchBroken;
    private boolean settling;
    private boolean behindFence;
    private final Canary canary;
    private final Acknowledgements acknowledgements;
    private @Nullable BlockingCall blocking;
    final Listening listening;

    Session(ClientConnection client) {
        this.client = client;
        this.loop = client.loop;
        this.local = new LocalCommands(this);
        this.canary = new Canary(this);
        this.acknowledgements = new Acknowledgements(client);
        this.listening = new Listening(this);
    }

    // ---- dispatch

    /** Sends or answers the request at hand; false when it has to wait. {@code spec} null: a command nobody knows. */
    boolean dispatch(@Nullable CommandSpec spec) {
        if (mayReturn() || !aloud()) {
            return false;
        }
        boolean skipped = silence();
        boolean done = handle(spec);
        if (!done && skipped) {
            again();
        }
        return done;
    }

    /** Whether what is in flight may have to be sent again: nothing may go out behind it. */
    private boolean mayReturn() {
        return blocking != null
                || (behindFence && client.inFlight() > 0 && loop.now - loop.gate.openedAt <= FencedRetry.PATIENCE);
    }

    /** The end of a request whose reply was skipped; false when it is still in flight. */
    private boolean aloud() {
        if (skip == 2) {
            if (client.inFlight() > 0) {
                return false;
            }
            skip = 0;
            muted = false;
        }
        return true;
    }

    /** The request at hand goes out or is answered now: true where its reply is to be skipped. */
    private boolean silence() {
        if (skip != 1) {
            return false;
        }
        skip = 2;
        muted = true;
        return true;
    }

    /** What went out or was tried is at hand again. */
    void again() {
        if (skip == 2) {
            skip = 1;
            muted = false;
        }
    }

    private boolean handle(@Nullable CommandSpec spec) {
        if (settling) {
            if (client.inFlight() > 0) {
                return false;
            }
            settled();
        }
        if (loop.gate.active() == null) {
            return fail("ERR eden: interlay has no endpoint yet");
        }
        Handling handling = spec == null ? Handling.UNKNOWN : spec.handling();
        if (acknowledgements.outstanding() && !keeps(handling)) {
            return false; // its reply would overtake those that are kept
        }
        Transaction open = transaction;
        if (open != null) {
            return queue(open, handling);
        }
        return switch (handling) {
            case SHARED -> shared();
            case SCRIPT_ADMIN -> local.script();
            case READ -> read(spec);
            case SCRIPT, UNKNOWN -> once();
            case BLOCKING -> block();
            case SCAN -> scan();
            case MULTI -> multi();
            case EXEC -> fail("ERR EXEC without MULTI");
            case DISCARD -> fail("ERR DISCARD without MULTI");
            case WATCH -> watch();
            case UNWATCH -> unwatch();
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
    private static boolean keeps(Handling handling) {
        return switch (handling) {
            case SHARED, SCRIPT_ADMIN, READ, SCRIPT, UNKNOWN, EXEC -> true;
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

    /**
     * There is no connection for the request at hand, which nothing is in flight before: it gets the reason. What a client may have sent
     * behind it on the understanding that it works must not run without it: commands behind MULTI are queued for nothing.
     */
    void refuse(String why, @Nullable CommandSpec spec) {
        silence();
        Handling handling = spec == null ? Handling.UNKNOWN : spec.handling();
        Transaction open = transaction;
        if (open != null) {
            open.refused = why;
            if (handling == Handling.EXEC || handling == Handling.DISCARD) {
                refused(open, why, handling);
                return;
            }
        } else if (handling == Handling.MULTI) {
            Transaction nothing = new Transaction(loop.buffer(), 0);
            nothing.refused = why;
            transaction = nothing;
            answer(out -> RespWriter.simple(out, "OK"));
            return;
        } else if (handling == Handling.WATCH) {
            watchBroken = true;
        }
        fail(why);
    }

    /** The transaction will not run, whatever it holds. */
    private boolean refused(Transaction open, String why, Handling handling) {
        if (open.ending || client.inFlight() > 0) {
            return false;
        }
        return switch (handling) {
            case EXEC -> {
                local.forgetSelect();
                settled();
                yield fail("EXECABORT Transaction discarded because of: " + why);
            }
            case DISCARD -> {
                local.forgetSelect();
                settled();
                yield answer(out -> RespWriter.simple(out, "OK"));
            }
            default -> answer(out -> RespWriter.simple(out, "QUEUED"));
        };
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

    /** Sends the request at hand where stateless commands go. */
    boolean pass() {
        return shared();
    }

    /** RESET: back to a new connection's state. */
    void resetAll() {
        abandon();
        endTransaction();
        watching = false;
        watchBroken = false;
        settling = false;
        muted = false;
        skip = 0;
        listening.clear();
        closeExclusive();
        identity = Identity.ANONYMOUS;
        database = 0;
        protocol = 2;
        name = null;
        forgetPool();
    }

    boolean mutes() {
        return muted;
    }

    /** True where commands must go over the exclusive connection. */
    boolean pinned() {
        return transaction != null || watching || listening.active();
    }

    private boolean shared() {
        BackendConnection connection = pinned() ? exclusive() : sharedConnection();
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
    private boolean forward(BackendConnection connection) {
        if (behindFence) {
            if (loop.now - loop.gate.openedAt > FencedRetry.PATIENCE || transaction != null) {
                behindFence = false;
            } else if (client.inFlight() > 0) {
                return false;
            } else {
                ByteBuf in = client.buffer();
                client.forward(
                        connection,
                        new FencedRetry(
                                client, connection, in.retainedSlice(in.readerIndex(), client.requestLength())));
                return true;
            }
        }
        client.forward(connection, target(connection));
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

    void pastFence() {
        behindFence = false;
    }

    private boolean once() {
        BackendConnection connection = exclusive();
        if (connection == null) {
            return false;
        }
        local.remember();
        return forward(connection);
    }

    private boolean scan() {
        BackendConnection connection = pinned() ? exclusive() : sharedConnection();
        if (connection == null || (loop.gate.acknowledgesBoth() && client.inFlight() > 0)) {
            return false;
        }
        Route route = loop.route();
        int tag = route == null ? 0 : route.activeTag();
        List<byte[]> arguments = client.arguments();
        ScanCursor.untag(arguments, Ascii.equalsIgnoreCase(arguments.getFirst(), "scan") ? 1 : 2, tag);
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
        BackendConnection connection = exclusive();
        if (connection == null) {
            return false;
        }
        if (LastIds.needed(arguments)) {
            client.consume();
            LastIds.resolve(client, connection, arguments);
            return true;
        }
        BlockingCall call = new BlockingCall(client, connection, arguments, timeoutAt);
        blocking = call;
        client.forward(connection, call);
        return true;
    }

    void blockingOver(BlockingCall call) {
        if (blocking == call) {
            blocking = null;
        }
    }

    // ---- transactions

    private boolean multi() {
        BackendConnection connection = exclusive();
        if (connection == null) {
            return false;
        }
        transaction =
                new Transaction(loop.buffer(), loop.context.config.limits().recordedBytes());
        client.forward(connection);
        return true;
    }

    private boolean queue(Transaction open, Handling handling) {
        if (open.ending) {
            return false;
        }
        if (handling == Handling.QUIT) {
            return local.quit();
        }
        if (handling == Handling.RESET) {
            return local.reset();
        }
        String why = open.impossible();
        if (why != null) {
            return refused(open, why, handling);
        }
        BackendConnection connection = exclusive();
        if (connection == null) {
            return false;
        }
        switch (handling) {
            case EXEC -> {
                open.ending = true;
                settling = true;
                if (watchBroken && !open.failed) {
                    ByteBuf discard = loop.buffer();
                    RespWriter.command(discard, "DISCARD");
                    client.substitute(connection, discard, new BrokenExec(client));
                } else if (local.selects()) {
                    client.forward(connection, new SelectingExec(client, connection, loop.now));
                } else {
                    forward(connection);
                }
            }
            case DISCARD -> {
                open.ending = true;
                settling = true;
                local.forgetSelect();
                client.forward(connection);
            }
            default -> {
                ByteBuf in = client.buffer();
                open.record(in, in.readerIndex(), client.requestLength());
                if (handling == Handling.SELECT) {
                    local.selectInTransaction(open.queued);
                }
                if (handling != Handling.MULTI && handling != Handling.WATCH) { // refused and no more before 7.0
                    open.queued++;
                }
                client.forward(connection);
            }
        }
        return true;
    }

    /** The reply to EXEC of a transaction whose watched keys can't be vouched for any more: null, as if one had changed. */
    private record BrokenExec(ClientConnection client) implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            frame.release();
            client.session.local.forgetSelect();
            ByteBuf out = client.loop.buffer();
            RespWriter.nullArray(out, client.session.protocol);
            client.output(out);
            client.finished();
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    /** EXEC of a transaction with SELECT in it: only its reply tells which database the client is in. */
    private record SelectingExec(ClientConnection client, BackendConnection connection, long sent)
            implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            client.session.local.executed(RespValue.read(frame.duplicate()).items());
            client.session.replied(connection, sent, client.loop.now, frame.getByte(frame.readerIndex()));
            client.session.deliver(frame);
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    private boolean watch() {
        BackendConnection connection = exclusive();
        if (connection == null) {
            return false;
        }
        watching = true;
        client.forward(connection);
        return true;
    }

    private boolean unwatch() {
        watchBroken = false;
        if (!watching) {
            return shared();
        }
        BackendConnection connection = exclusive();
        if (connection == null) {
            return false;
        }
        settling = true;
        client.forward(connection);
        return true;
    }

    /** EXEC, DISCARD or UNWATCH has been answered. */
    private void settled() {
        settling = false;
        endTransaction();
        watching = false;
        watchBroken = false;
    }

    private void endTransaction() {
        Transaction open = transaction;
        if (open != null) {
            transaction = null;
            open.release();
            local.transactionEnded();
        }
    }

    // ---- connections

    BackendPool pool() {
        BackendPool known = pool;
        if (known == null) {
            ServerAddress server = loop.activeServer();
            if (server == null) {
                throw new IllegalStateException("no active server");
            }
            known = loop.pool(new PoolKey(server, identity, database, protocol));
            known.references++;
            pool = known;
        }
        return known;
    }

    /** Login, database or protocol have changed, or the route has. */
    void forgetPool() {
        BackendPool known = pool;
        if (known != null) {
            known.references--;
            known.unusedSince = loop.now;
            pool = null;
        }
    }

    private @Nullable BackendConnection sharedConnection() {
        if (client.inFlight() > 0) {
            BackendConnection current = client.current();
            if (current == null || current == exclusive || current.pool != pool || !current.usable()) {
                return null;
            }
            return current.writable() ? current : null;
        }
        dropExclusive();
        BackendPool from = pool();
        BackendConnection picked = from.pick();
        if (picked == null) {
            client.pauseForAnswer();
            Object wait = new Object();
            waiting = wait;
            from.await(false, (_, failure) -> {
                if (waiting == wait) {
                    waiting = null;
                    resume(failure);
                }
            });
            return null;
        }
        return picked.writable() ? picked : null;
    }

    /** This client's own connection, with what has to be said on it first; null while it is being had, or something else is in flight. */
    @Nullable
    BackendConnection exclusive() {
        if (listening.loggingIn()) {
            return null;
        }
        BackendConnection mine = exclusive;
        if (mine != null) {
            boolean free = client.inFlight() == 0 || client.current() == mine;
            if (!free || !mine.writable()) {
                return null;
            }
            reserved = false;
            return mine;
        }
        if (client.inFlight() > 0 || acquiring) {
            return null;
        }
        acquire();
        return exclusive == null ? null : exclusive();
    }

    /** The wait for a connection is over; where the barrier has come meanwhile, the side that opens says whether there is one. */
    private void resume(@Nullable String failure) {
        if (failure == null || loop.gate.held()) {
            client.resume();
        } else {
            client.resumeWithFailure(failure);
        }
    }

    /** Waits for no connection any more; true where it did. What comes of it is for others. */
    private boolean abandon() {
        if (waiting == null) {
            return false;
        }
        waiting = null;
        if (acquiring) {
            acquiring = false;
            loop.context.exclusive.decrementAndGet();
        }
        return true;
    }

    private void acquire() {
        ProxyContext context = loop.context;
        client.pauseForAnswer();
        if (context.exclusive.incrementAndGet() > context.config.maxPinned()) {
            context.exclusive.decrementAndGet();
            if (listening.active()) {
                client.close(); // it has lost what it listened to
                return;
            }
            client.resumeWithFailure("ERR eden: no exclusive connection left (limit "
                    + context.config.maxPinned()
                    + "); too many transactions, blocking commands or subscribers at once");
            return;
        }
        acquiring = true;
        Object wait = new Object();
        waiting = wait;
        BackendPool from = pool();
        from.await(true, (connection, failure) -> {
            if (waiting != wait) {
                if (connection != null) {
                    from.release(connection);
                }
                return;
            }
            waiting = null;
            acquiring = false;
            if (connection == null || client.isClosed() || from != pool) {
                context.exclusive.decrementAndGet();
                if (connection != null) {
                    from.release(connection);
                    client.resume();
                } else if (!client.isClosed()) {
                    if (listening.active()) {
                        client.close(); // it has lost what it listened to
                    }
                    resume(failure == null ? "ERR eden: no connection" : failure);
                }
                return;
            }
            connection.owner = client;
            exclusive = connection;
            reserved = true;
            loop.counters.exclusiveConnections++;
            prelude(connection);
            client.resume();
        });
    }

    /** Says again what an earlier connection had been told. */
    private void prelude(BackendConnection connection) {
        listening.prelude(connection);
        replay(connection);
    }

    /** Queues again what the transaction had queued elsewhere. */
    void replay(BackendConnection connection) {
        Transaction open = transaction;
        if (open != null && open.replay && !open.ending && open.impossible() == null) {
            open.replay = false;
            loop.counters.replayed++;
            client.send(connection, open.replayed(), new Swallow(client));
            for (int i = 0; i < open.commands(); i++) {
                client.send(connection, Unpooled.EMPTY_BUFFER, new Swallow(client));
            }
        }
    }

    /** A reply the client has had already. */
    record Swallow(ClientConnection client) implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            frame.release();
            client.finished();
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    /** Gives the exclusive connection back for reuse; it must be clean. */
    private void dropExclusive() {
        BackendConnection mine = forgetExclusive();
        if (mine != null) {
            if (mine.pool == pool && !local.altered()) {
                mine.pool.release(mine);
            } else {
                mine.close();
            }
        }
    }

    /** Closes it, and with it whatever it held on the server. */
    void closeExclusive() {
        BackendConnection mine = forgetExclusive();
        if (mine != null) {
            mine.close();
        }
    }

    @Nullable
    BackendConnection forgetExclusive() {
        BackendConnection mine = exclusive;
        if (mine != null) {
            exclusive = null;
            reserved = false;
            mine.owner = null;
            mine.tap = null;
            loop.context.exclusive.decrementAndGet();
            loop.counters.exclusiveConnections--;
        }
        return mine;
    }

    /** Takes a connection that was prepared elsewhere as this client's own. */
    void adopt(BackendConnection connection) {
        closeExclusive();
        connection.owner = client;
        exclusive = connection;
        loop.context.exclusive.incrementAndGet();
        loop.counters.exclusiveConnections++;
    }

    @Nullable
    BackendConnection ownConnection() {
        return exclusive;
    }

    void exclusiveLost(BackendConnection connection) {
        if (exclusive != connection) {
            return;
        }
        boolean needed = pinned() || client.inFlight() > 0;
        forgetExclusive();
        if (needed && !client.isClosed()) {
            client.close();
        }
    }

    // ---- replies

    void replied(BackendConnection connection, long sent, long now, byte type) {
        Transaction open = transaction;
        if (open != null && type == '-') {
            if (open.ending) {
                local.alter(); // EXECABORT or worse: not worth knowing which
                local.forgetSelect();
            } else {
                open.failed = true;
            }
        }
        count(connection, sent, now, type);
    }

    void count(BackendConnection connection, long sent, long now, byte type) {
        if (connection.pool.onActive()) {
            canary.activeReplied(now);
        }
        loop.traffic.record(connection.pool.onActive(), now - sent, type == '-' || type == '!');
    }

    /** Whether something is to be done as soon as nothing is in flight. */
    boolean wantsRest() {
        return exclusive != null || settling || skip == 2 || loop.gate.held();
    }

    /** Called when nothing is in flight and nothing can be sent: gives back what is not needed. */
    void settle() {
        if (client.inFlight() > 0 || client.isClosed()) {
            return;
        }
        if (settling) {
            settled();
        }
        if (!client.awaiting()) {
            aloud();
        }
        if (loop.gate.held()) {
            surrender();
        } else if (exclusive != null && !reserved && !pinned()) {
            dropExclusive();
        }
    }

    // ---- barrier

    void hold() {
        listening.hold();
        BlockingCall call = blocking;
        if (call != null) {
            call.takeBack();
        } else {
            settle();
        }
    }

    /** Takes everything off the server; the side that opens gets it back. */
    private void surrender() {
        if (listening.active()) {
            return;
        }
        leave();
        if (exclusive != null && !acquiring) {
            if (transaction != null || watchBroken) {
                closeExclusive();
            } else {
                dropExclusive();
            }
        }
    }

    /** What the exclusive connection holds for the client is no longer counted on. */
    private void leave() {
        Transaction open = transaction;
        if (open != null) {
            open.replay = true;
        }
        if (watching) {
            watching = false;
            watchBroken = true;
            loop.counters.watchesBroken++;
        }
    }

    boolean resting() {
        return blocking == null && (exclusive == null || listening.active());
    }

    void routed(boolean flipped, boolean wasHeld) {
        if (flipped) {
            if (client.inFlight() > 0) {
                loop.counters.inDoubt++;
                client.close(); // nobody waited for its requests: in doubt
                return;
            }
            leave();
            surrender();
            if (abandon()) {
                client.resume();
            }
            forgetPool();
            behindFence = true;
            listening.flipped();
        } else if (wasHeld) {
            listening.reopened();
        }
    }

    void close() {
        abandon();
        closeExclusive();
        forgetPool();
        Transaction open = transaction;
        transaction = null;
        if (open != null) {
            open.release();
        }
        listening.close();
    }

    /** A connection for a request too large to collect. */
    @Nullable
    BackendConnection forLarge() {
        if (mayReturn() || !aloud()) {
            return null;
        }
        Transaction open = transaction;
        String why = open == null ? null : open.impossible();
        if (why != null) {
            throw new ProtocolError(why); // it must not run alone, and can't be collected
        }
        BackendConnection connection = exclusive();
        if (connection != null) {
            silence();
            if (open != null) {
                open.overflow();
                open.queued++;
            }
        }
        return connection;
    }

    /** Who takes the reply to a request too large to collect. */
    ReplyTarget forLarge(BackendConnection connection) {
        Transaction open = transaction;
        return open == null || open.ending ? target(connection) : client;
    }
}
