package dev.eden.proxy.postgres;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings a session on a server to what a client expects of its own, before anything of the client's goes out there: its settings, over a flip what its
 * session had, and where it knows itself in a transaction that transaction.
 *
 * <pre>
 *   (nothing to do) ──────────────────────────────────────────────────────────► ready
 *   RUNNING: settings and carried state ─► the client's BEGIN, if it is in one ─► ready
 *      ├── an error: the client is told, and its session ends
 *      └── the connection is lost: nothing has been asked, the session tries another
 * </pre>
 */
final class Preparation {
    private final ClientSession session;
    private final SessionSettings settings;
    private final ReadTransaction transaction;
    private boolean running;

    Preparation(ClientSession session) {
        this.session = session;
        this.settings = session.settings;
        this.transaction = session.transaction;
    }

    boolean running() {
        return running;
    }

    /** True: the client may use it. False: that takes a moment, and then the session goes on by itself. */
    boolean prepare(ServerConnection connection) {
        SessionState carry = session.crossing.carried();
        if (carry == null && settings.satisfiedBy(connection)) {
            return !transaction.open() || begin(connection);
        }
        if (settings.asksWhose(connection)) {
            askWhose(connection);
            return false;
        }
        Settings wanted = settings.wanted(connection);
        Map<String, String> differences = settings.toSet(connection, wanted);
        int resets = settings.toReset(connection);
        if (differences.isEmpty() && resets == 0 && carry == null) {
            return !transaction.open() || begin(connection);
        }
        running = true;
        ServerPool.Welcome welcome = connection.pool.welcome();
        StringBuilder sql = new StringBuilder();
        for (int i = 0; i < Settings.NAMES.length; i++) {
            if ((resets & Settings.bit(i)) != 0) {
                sql.append("RESET ").append(Settings.NAMES[i]).append(';');
            }
        }
        if (!differences.isEmpty()) {
            String style = differences.get(Settings.NAMES[Settings.DATE_STYLE]);
            String usual = welcome == null ? null : welcome.settings().value(Settings.DATE_STYLE);
            if (style != null && usual != null && style.indexOf(',') < 0) {
                // Half of it: the other half stays, and that may be another client's.
                sql.append(Settings.statement(Map.of(Settings.NAMES[Settings.DATE_STYLE], usual)))
                        .append(';');
            }
            sql.append(Settings.statement(differences)).append(';');
        }
        if (carry != null) {
            sql.append(carry.statements());
        }
        String text = sql.toString();
        if (Encoding.ascii(text)) {
            bring(connection, text, wanted);
        } else {
            encode(connection, text, wanted);
        }
        return false;
    }

    private void askWhose(ServerConnection connection) {
        running = true;
        connection.exchange(new Exchange(SessionDefaults.BY_ROLE, outcome -> {
            running = false;
            connection.defaults.byRole(outcome.error() == null ? outcome.rows() : null);
            if (session.server() != connection) {
                session.process(); // lost meanwhile, and nothing has been asked: try another
            } else if (session.closed()) {
                session.serveBy(null);
                connection.pool.reclaim(connection, true);
            } else if (connection.usable() && prepare(connection)) {
                session.process();
            }
        }));
    }

    /** First of all what the rest is written in: the session may have another client's encoding still. */
    private void encode(ServerConnection connection, String text, Settings asked) {
        String own = asked.encoding();
        String encoding = own != null && Encoding.writes(own, text) ? own : Encoding.UTF8;
        if (encoding.equals(connection.settings.encoding())) {
            bring(connection, text, asked);
            return;
        }
        Map<String, String> first = Map.of(Settings.NAMES[Settings.CLIENT_ENCODING], encoding);
        connection.exchange(new Exchange(Settings.statement(first), outcome -> {
            if (outcome.error() == null && session.server() == connection && !session.closed()) {
                bring(connection, text, asked);
            } else {
                done(connection, asked, outcome.error());
            }
        }));
    }

    private void bring(ServerConnection connection, String text, Settings asked) {
        connection.exchange(new Exchange(text, outcome -> done(connection, asked, outcome.error())));
    }

    private void done(ServerConnection connection, Settings asked, @Nullable ErrorMessage error) {
        running = false;
        if (session.server() != connection) {
            session.process(); // lost meanwhile, and nothing has been asked: try another
            return;
        }
        prepared(connection, asked, error);
    }

    private void prepared(ServerConnection connection, Settings asked, @Nullable ErrorMessage error) {
        if (session.closed()) {
            session.serveBy(null);
            connection.pool.reclaim(connection, true);
            return;
        }
        if (error != null) {
            if (!connection.usable()) {
                return; // its end follows
            }
            session.serveBy(null);
            connection.pool.reclaim(connection, true);
            session.end(error.as("FATAL"));
            return;
        }
        settings.brought(connection, asked);
        session.crossing.arrived();
        if (!transaction.open() || begin(connection)) {
            session.process();
        }
    }

    /** Makes the client's transaction real; false: that takes a moment. */
    private boolean begin(ServerConnection connection) {
        running = true;
        connection.exchange(new Exchange(transaction.begin(), outcome -> {
            running = false;
            if (session.server() != connection) {
                session.process(); // lost meanwhile, and nothing has been asked: try another
                return;
            }
            ErrorMessage error = outcome.error();
            if (session.closed() || error != null && connection.usable()) {
                session.serveBy(null);
                connection.client = null;
                connection.close();
                if (error != null) {
                    session.end(error.as("FATAL"));
                }
            } else if (error == null) {
                transaction.real();
                session.process();
            }
        }));
        return false;
    }
}
