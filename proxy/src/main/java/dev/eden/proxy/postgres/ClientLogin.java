package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Lets a client in that has proved who it is: tells it its settings and the key with which it may cancel. */
final class ClientLogin {
    private final ClientSession session;
    private final StartupPacket startup;
    private final SessionSettings settings;
    private boolean done;
    /** Null before the client has been told. */
    private Cancels.@Nullable Key cancelKey;

    ClientLogin(ClientSession session, StartupPacket startup) {
        this.session = session;
        this.startup = startup;
        this.settings = session.settings;
    }

    boolean done() {
        return done;
    }

    /** Tells the client who serves it, once a session on the server has been seen with its settings; false: not yet. */
    boolean proceed() {
        if (session.place.inLine() || session.preparation.running()) {
            return false;
        }
        ServerPool from = session.place.pool();
        if (from == null) {
            session.end(ErrorMessage.fatal("57P03", "eden: the interlay has no endpoint yet"));
            return false;
        }
        ServerConnection holding = session.server();
        if (holding == null) {
            Settings seen = session.poolsSessions() ? null : settings.foreseen(from);
            if (seen == null) {
                if (!session.acquire()) {
                    return false;
                }
                seen = Objects.requireNonNull(session.server()).settings;
            }
            settings.login(seen);
        } else {
            settings.login(Objects.requireNonNull(settings.now()));
        }
        done = true;
        sendWelcome(from);
        return true;
    }

    private void sendWelcome(ServerPool from) {
        ByteBuf out = session.loop.buffer();
        settings.report(from, out);
        ServerConnection own = session.poolsSessions() ? session.server() : null;
        Cancels.Key key = session.loop.cancels.register(session, startup.minor() >= 2, own == null ? 0 : own.pid);
        cancelKey = key;
        Message.backendKey(out, key.pid(), key.secret());
        Message.readyForQuery(out, 'I');
        session.deliver(out);
    }

    /** The client has gone: its key cancels nothing any more. */
    void forget() {
        Cancels.Key key = cancelKey;
        if (key != null) {
            session.loop.cancels.forget(key.pid());
        }
    }
}
