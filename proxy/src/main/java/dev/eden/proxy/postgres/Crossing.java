package dev.eden.proxy.postgres;

import org.jspecify.annotations.Nullable;

/**
 * One client's way from the side that had the authority to the one that gets it: it comes to rest behind the barrier, and then its session goes on over
 * there with what it had, or ends with a reason.
 */
final class Crossing {
    private final ClientSession session;
    private final PostgresLoop loop;
    private final SessionPins pins;
    private @Nullable SessionState carried;

    Crossing(ClientSession session) {
        this.session = session;
        this.loop = session.loop;
        this.pins = session.pins;
    }

    /** New transactions wait from now on. */
    void hold() {
        session.giveBackIfIdle();
        ServerConnection holding = session.server();
        if (holding != null && session.pinned() && pins.unknown()) {
            pins.probe();
        }
    }

    /** True where nothing of this client is under way on a server. */
    boolean resting() {
        ServerConnection holding = session.server();
        return holding == null || (!holding.busy() && !session.batches.underWay() && probedIfPinned(holding));
    }

    private boolean probedIfPinned(ServerConnection holding) {
        if (!session.pinned() || !pins.unprobed() || holding.busy()) {
            return true;
        }
        pins.probe(); // it was busy when the hold came
        return !pins.probing();
    }

    /** Why this client's session would end with a flip; null where it would go on. */
    @Nullable
    String cannotBeCarried() {
        if (session.server() == null || !session.pinned()) {
            return null;
        }
        return pins.cannotBeCarried();
    }

    /** The other side has the authority now. */
    void flipped() {
        ServerConnection old = session.server();
        session.place.leaveLine();
        session.place.leave();
        if (old == null) {
            return;
        }
        if (session.standbyRead.running()) {
            session.serveBy(null);
            old.client = null;
            old.close();
            session.readLost(old);
            old = session.server();
            if (old == null || session.closed()) {
                return;
            }
        }
        if (session.preparation.running()) {
            return; // the exchange ends with the connection, and nothing has been asked
        }
        if (session.batches.underWay() || old.transactionOpen()) {
            loop.counters.inDoubt++;
            session.end(moved("Whether the last transaction has committed is not known."));
            return;
        }
        if (session.pinned()) {
            String reason = cannotBeCarried();
            if (reason != null) {
                loop.counters.sessionsEnded++;
                session.end(moved("The session has state that cannot be carried over: " + reason + ".")
                        .hint("Connect again."));
                return;
            }
            carry();
            if (toListen() && old.usable()) {
                session.serveBy(null);
                old.hearOut();
                return;
            }
        }
        if (session.messages.cutShort()) {
            old.close();
        }
        old.client = null;
        session.serveBy(null);
        pins.forget();
    }

    private static ErrorMessage moved(String detail) {
        return ErrorMessage.fatal("57P01", "eden: the interlay has moved to another server")
                .detail(detail);
    }

    /** Others may have written on the new owner before this session listened there. */
    void endIfListening() {
        if (listens() || toListen()) {
            loop.counters.sessionsEnded++;
            session.end(moved("This proxy was late, and notifications may have been missed.")
                    .hint("Connect and LISTEN again, and look again at what the notifications are about."));
        }
    }

    /** True where this session listens on a channel. */
    boolean listens() {
        return session.server() != null && pins.listens();
    }

    /** True where it has yet to listen on the server that it was carried to. */
    boolean toListen() {
        SessionState carry = carried;
        return carry != null && !carry.channels().isEmpty() && !session.closed();
    }

    /** True where the loss of the connection would cost this client nothing: it rests behind the barrier, and its state is known. */
    boolean survives() {
        ServerConnection holding = session.server();
        return holding != null && survives(holding);
    }

    boolean survives(ServerConnection holding) {
        return loop.gate.held()
                && session.pinned()
                && !pins.probing()
                && !session.preparation.running()
                && !session.batches.underWay()
                && !holding.transactionOpen()
                && pins.carriable();
    }

    /** LISTEN must go on although the client asks nothing. True: its connection is on the way. */
    boolean carriesNow() {
        if (!toListen() || session.server() != null || session.preparation.running()) {
            return session.preparation.running();
        }
        return !session.acquire();
    }

    // ---- what is carried

    /** Takes the state of a session that was looked at along to the next connection. */
    void carry() {
        carried = pins.take();
    }

    /** On its way to the next connection; null: nothing. */
    @Nullable
    SessionState carried() {
        return carried;
    }

    /** The next connection has it now. */
    void arrived() {
        SessionState carry = carried;
        if (carry != null) {
            carried = null;
            pins.arrived(carry);
            loop.counters.sessionsCarried++;
        }
    }
}
