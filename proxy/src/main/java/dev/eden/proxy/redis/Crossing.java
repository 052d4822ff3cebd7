package dev.eden.proxy.redis;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's way from the side that had the authority to the one that gets it: everything of it comes off the server when the barrier comes, and
 * goes on over there in the same order, each request once. Only what was on its way without anybody waiting for it is in doubt.
 */
final class Crossing {
    private static final Logger LOGGER = LoggerFactory.getLogger(Crossing.class);

    private final Session session;
    private final ClientConnection client;
    private final ProxyLoop loop;
    private @Nullable BlockingCall blocking;
    private boolean behindFence;

    Crossing(Session session) {
        this.session = session;
        this.client = session.client;
        this.loop = session.loop;
    }

    // ---- requests that may have to be sent again

    /** Whether what is in flight may have to be sent again: nothing may go out behind it. */
    boolean mayReturn() {
        return blocking != null
                || (behindFence && client.inFlight() > 0 && loop.now - loop.gate.openedAt <= FencedRetry.PATIENCE);
    }

    /** True where a fence may still refuse the request at hand, which could then be sent again. */
    boolean behindFence() {
        if (behindFence
                && (loop.now - loop.gate.openedAt > FencedRetry.PATIENCE || session.transactions.open() != null)) {
            behindFence = false;
        }
        return behindFence;
    }

    /** Sends the request at hand, and again where a fence refuses it. */
    void sendRepeatably(BackendConnection connection) {
        ByteBuf in = client.buffer();
        client.forward(
                connection,
                new FencedRetry(client, connection, in.retainedSlice(in.readerIndex(), client.requestLength())));
    }

    void pastFence() {
        behindFence = false;
    }

    /** Sends a command that may wait on the server for long. */
    void block(BlockingCall call, BackendConnection connection) {
        blocking = call;
        client.forward(connection, call);
    }

    void blockingOver(BlockingCall call) {
        if (blocking == call) {
            blocking = null;
        }
    }

    // ---- barrier

    /** New requests wait from now on. */
    void hold() {
        BlockingCall call = blocking;
        if (call != null) {
            call.takeBack();
        } else {
            settle();
        }
    }

    /** Whether something is to be done as soon as nothing is in flight. */
    boolean wantsRest() {
        return session.connections.own() != null
                || session.transactions.settling()
                || session.replyMode.skipping()
                || loop.gate.held();
    }

    /** Called when nothing is in flight and nothing can be sent: gives back what is not needed. */
    void settle() {
        if (client.inFlight() > 0 || client.isClosed()) {
            return;
        }
        session.transactions.settle();
        if (!client.awaiting()) {
            session.replyMode.aloud();
        }
        if (loop.gate.held()) {
            surrender();
        } else {
            session.connections.dropUnneeded();
        }
    }

    /** Takes everything off the server; the side that opens gets it back. */
    private void surrender() {
        if (session.listening.active()) {
            session.listening.carriage.begin();
            return;
        }
        session.transactions.leave();
        if (session.connections.own() != null && !session.connections.acquiring()) {
            if (session.transactions.leftBehind()) {
                session.connections.close();
            } else {
                session.connections.drop();
            }
        }
    }

    /** True where nothing of this client's is on a server. */
    boolean resting() {
        return blocking == null && (session.connections.own() == null || session.listening.active());
    }

    // ---- subscribers

    /** True where the client must listen on the new side before anybody publishes there. */
    boolean listens() {
        return session.listening.carriable();
    }

    /** Nobody publishes on the old side any more, and nobody yet on the new one. */
    void carryOver() {
        session.listening.carriage.hearOut();
    }

    /** True where a subscriber is on its way still; one that is {@code late}, or that takes nothing where that is {@code enough}, is closed: others wait for it. */
    boolean toBeCarried(boolean late, boolean enough) {
        if (!session.listening.carriage.underWay()) {
            return false;
        }
        BackendConnection own = session.connections.own();
        if (late || own == null || (enough && own.paused())) {
            LOGGER.atInfo()
                    .addKeyValue("client", client.id)
                    .log(
                            "closing a subscriber that may have missed messages: {}",
                            late ? "one of the servers was late" : "it takes none");
            client.close();
            return false;
        }
        return true;
    }

    /** Others may have published on the new side before this client listened there; true where it is closed for that. */
    boolean endIfListening() {
        if (session.listening.subscriptions() == 0) {
            return false;
        }
        client.close();
        return true;
    }

    // ---- route

    /** A (new) route is in force. */
    void routed(boolean flipped, boolean wasHeld) {
        if (flipped) {
            if (client.inFlight() > 0) {
                loop.counters.inDoubt++;
                client.close(); // nobody waited for its requests: in doubt
                return;
            }
            session.transactions.leave();
            surrender();
            if (session.connections.abandon()) {
                client.resume();
            }
            session.connections.forgetPool();
            behindFence = true;
            session.listening.flipped();
        } else if (wasHeld) {
            session.listening.carriage.end();
        }
    }
}
