package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Which pool serves one client under the present route, and whether the client stands in its line. */
final class PoolPlace {
    private final ClientSession session;
    private final PostgresLoop loop;
    private final StartupPacket startup;
    private @Nullable ServerPool pool;
    private boolean inLine;

    PoolPlace(ClientSession session, StartupPacket startup) {
        this.session = session;
        this.loop = session.loop;
        this.startup = startup;
    }

    /** Null: the interlay has no endpoint yet. */
    @Nullable
    ServerPool pool() {
        ServerPool known = pool;
        if (known != null) {
            return known;
        }
        Backend active = loop.gate.activeBackend();
        if (active == null) {
            return null;
        }
        PoolKey key = new PoolKey(ServerAddress.of(active), startup.database(), startup.user(), options());
        ServerPool found = loop.pool(key.on(active));
        found.references++;
        pool = found;
        return found;
    }

    /**
     * What the server's session begins with. Where it is this client's alone, also its reported settings, so that RESET brings them back; between
     * clients that share connections they are set for each.
     */
    private Map<String, String> options() {
        if (!session.poolsSessions()) {
            return startup.options();
        }
        Map<String, String> all = new TreeMap<>(startup.options());
        startup.settings().forEach((index, value) -> {
            if (index != Settings.APPLICATION_NAME) {
                all.put(Settings.NAMES[index], value);
            }
        });
        return all;
    }

    /** Another route: the next {@link #pool} is another one. */
    void leave() {
        ServerPool known = pool;
        if (known != null) {
            known.references--;
            known.unusedSince = loop.now;
            pool = null;
        }
    }

    boolean inLine() {
        return inLine;
    }

    /** Goes to the end of the line, unless that has brought a connection already; false: the line is too long. */
    boolean stand(ServerPool line) {
        if (!line.await(session)) {
            return false;
        }
        inLine = session.server() == null;
        return true;
    }

    /** Gives its place in the line up, if it has one. */
    void leaveLine() {
        ServerPool line = pool;
        if (inLine && line != null) {
            line.leaveLine(session);
        }
        inLine = false;
    }

    /** The pool has taken it out of the line. */
    void leftLine() {
        inLine = false;
    }
}
