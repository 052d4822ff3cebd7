package dev.eden.proxy.postgres;

import dev.eden.proxy.PostgresProxyConfig;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one event loop to one server for one database, user and set of startup options, and the clients that wait for one, first come
 * first served. A failed connect is tried again with a growing pause; a server's refusal to log in is told to those who wait, except behind a
 * fence that is about to fall.
 */
final class ServerPool {
    private static final long MIN_BACKOFF = 10_000_000;
    private static final long MAX_BACKOFF = 1_000_000_000;
    private static final long FENCE_BACKOFF = 4_000_000;
    /** More logins at a time would take a small machine from those who are in already. */
    private static final int CONNECTING = 4;

    private static final int LATER_MILLIS = 500;
    /** Servers before PostgreSQL 18 do not report it. */
    private static final String SEARCH_PATH = "SELECT pg_catalog.current_setting('search_path')";

    final PostgresLoop loop;
    final PoolKey key;
    private final int size;
    private final @Nullable Credential fixed;
    /** What every session begins with, in SQL; null: with nothing. */
    private final @Nullable String beginning;

    private final Set<ServerConnection> all = new LinkedHashSet<>();
    private final Deque<ServerConnection> idle = new ArrayDeque<>();
    private final Deque<ClientSession> waiting = new ArrayDeque<>();
    private final Deque<Exchange> exchanges = new ArrayDeque<>();
    private int connecting;
    private long backoff = MIN_BACKOFF;
    private long retryAt;
    private boolean retryScheduled;
    private @Nullable ErrorMessage failure;
    private boolean closed;
    private boolean granting;
    /** Connections to open although nobody waits for them; 0: none. */
    private int expected;
    /** By which a standby tells the proxies from other clients while it lets them in ahead of a flip. */
    private @Nullable String admission;

    /** For the answer to a query of the proxy's own; null: as long as it takes. */
    private @Nullable Duration limit;

    private @Nullable Runnable settled;
    /** Left by their clients in a flip: not as new before they are cleaned. */
    private final List<ServerConnection> left = new ArrayList<>();

    int references;
    long unusedSince;

    /** What the newest session on this server said of itself; its settings are the defaults. Null: none has been seen, or a while ago. */
    private @Nullable Welcome welcome;

    /** @param reported everything the server reported; settings: those of them that clients may change */
    record Welcome(java.util.Map<String, String> reported, Settings settings) {}

    /** What servers make of settings in clients' own words. */
    private final java.util.Map<Settings, Settings> canonical = new java.util.HashMap<>();

    /** The settings as servers report them, or null when no session with these has been seen. */
    @Nullable
    Settings canonical(Settings asked) {
        return canonical.get(asked);
    }

    void remember(Settings asked, Settings reported) {
        if (canonical.size() < 1000) {
            canonical.put(asked, reported);
        }
    }

    ServerPool(PostgresLoop loop, PoolKey key, int size, @Nullable Credential fixed) {
        this(loop, key, size, fixed, null);
    }

    /** {@code fixed}: what to log in with; null: what the user has proved. */
    ServerPool(PostgresLoop loop, PoolKey key, int size, @Nullable Credential fixed, @Nullable String beginning) {
        this.beginning = beginning;
        this.loop = loop;
        this.key = key;
        this.size = size;
        this.fixed = fixed;
        this.unusedSince = loop.now;
        this.retryAt = loop.now;
    }

    /** A server that lets a query of the proxy's own wait for longer is taken for lost, and another connection asks what comes next. */
    ServerPool answeringWithin(Duration time) {
        limit = time;
        return this;
    }

    boolean isClosed() {
        return closed;
    }

    boolean onActive() {
        return key.server().equals(loop.gate.active());
    }

    @Nullable
    Welcome welcome() {
        return welcome;
    }

    /** True where somebody waits: who holds a connection gives it back at the end of a transaction. */
    boolean contended() {
        return !waiting.isEmpty();
    }

    // ---- taking and giving back

    /** An idle connection, or null: {@link #await}. */
    @Nullable
    ServerConnection take(ClientSession client) {
        if (!waiting.isEmpty()) {
            return null;
        }
        ServerConnection kept = idle();
        if (kept != null) {
            kept.client = client;
        }
        return kept;
    }

    private @Nullable ServerConnection idle() {
        for (ServerConnection kept = idle.pollLast(); kept != null; kept = idle.pollLast()) {
            if (kept.usable()) {
                return kept;
            }
        }
        return null;
    }

    /** Puts the client at the end of the line; it is {@code granted} a connection or {@code refused}. False: the line is too long. */
    boolean await(ClientSession client) {
        if (waiting.size() >= loop.config.maxWaiting()) {
            return false;
        }
        client.waitingSince = loop.now;
        waiting.addLast(client);
        connectMore();
        return true;
    }

    void leaveLine(ClientSession client) {
        waiting.remove(client);
    }

    /** Takes everybody out of the line, as when the barrier comes. */
    void emptyLine() {
        for (ClientSession client : new ArrayList<>(waiting)) {
            client.outOfLine();
        }
        waiting.clear();
    }

    /** Runs a query of the proxy's own on some connection. */
    void exchange(String sql, Consumer<Exchange.Outcome> then) {
        exchange(new Exchange(sql, then));
    }

    void exchange(Exchange exchange) {
        if (closed) {
            exchange.failed(moved());
            exchange.end();
            return;
        }
        ServerConnection kept = idle();
        if (kept != null) {
            run(kept, exchange);
            return;
        }
        exchanges.addLast(exchange);
        connectMore();
    }

    private void run(ServerConnection connection, Exchange exchange) {
        Exchange then = exchange.first(_ -> {
            if (connection.usable()) {
                connection.defaults.settled(0);
                release(connection);
            }
        });
        Duration patience = limit;
        if (patience == null) {
            connection.exchange(then);
        } else {
            connection.exchange(then, patience);
        }
    }

    /** Gives a connection back that is clean: no transaction, nothing expected, nothing left in its session. */
    void release(ServerConnection connection) {
        connection.client = null;
        connection.read(true);
        if (closed || !connection.usable() || connection.busy() || connection.unfitForOthers()) {
            connection.close();
            return;
        }
        if (connection.cancels > 0) {
            return; // comes back when the cancel requests have arrived
        }
        Exchange exchange = exchanges.pollFirst();
        if (exchange != null) {
            run(connection, exchange);
            return;
        }
        connection.idleSince = loop.now;
        idle.addLast(connection);
        grant();
    }

    /** Serves the line with what is idle. Who gives back within its own turn is heard by the caller's loop: thousands may stand here, each done at once. */
    private void grant() {
        if (granting) {
            return;
        }
        granting = true;
        try {
            while (!waiting.isEmpty() && (loop.gate.open() || loop.gate.turned() || !onActive())) {
                ServerConnection kept = idle();
                if (kept == null) {
                    return;
                }
                ClientSession next = waiting.removeFirst();
                kept.client = next;
                next.granted(kept);
            }
        } finally {
            granting = false;
        }
    }

    /** Nobody works here until a flip brings the authority back: what is not at rest ends, what is stays logged in. */
    void rest() {
        expected = 0;
        emptyLine();
        for (ServerConnection connection : new ArrayList<>(all)) {
            if (connection.leaving() || left.contains(connection)) {
                continue;
            }
            idle.remove(connection);
            boolean keep = connection.client == null
                    && connection.usable()
                    && !connection.busy()
                    && connection.cancels == 0
                    && !oneClientEach();
            if (keep) {
                left.add(connection);
            } else {
                connection.close();
            }
        }
    }

    /**
     * Makes connections that clients left as new, cached values of sequences included: those were taken from the server before others
     * got numbers elsewhere.
     */
    void tidy() {
        for (ServerConnection connection : new ArrayList<>(left)) {
            if (connection.busy()) {
                continue; // is being cleaned
            }
            connection.read(true);
            Exchange cleaning = new Exchange("DISCARD ALL", outcome -> {
                left.remove(connection);
                if (outcome.error() == null) {
                    cleaned(connection);
                } else {
                    connection.close();
                }
            });
            connection.exchange(cleaning, ServerConnection.OWN_LIMIT);
        }
    }

    private boolean oneClientEach() {
        return loop.config.pooling() == PostgresProxyConfig.Pooling.SESSION;
    }

    /** Takes a connection back whose client has gone; {@code dirty}: its session has state. */
    void reclaim(ServerConnection connection, boolean dirty) {
        connection.client = null;
        connection.read(true);
        if (closed || !connection.usable() || connection.busy() || connection.unfitForOthers()) {
            connection.close();
        } else if (dirty && beginning != null) {
            connection.close(); // DISCARD ALL would take back what every session here begins with
        } else if (dirty && oneClientEach()) {
            connection.close(); // libraries it has loaded and the like outlive DISCARD ALL
        } else if (dirty) {
            connection.exchange(new Exchange("DISCARD ALL", outcome -> {
                if (outcome.error() == null) {
                    cleaned(connection);
                } else {
                    connection.close();
                }
            }));
        } else {
            release(connection);
        }
    }

    private void cleaned(ServerConnection connection) {
        connection.discarded();
        connection.defaults.assigned(0);
        connection.defaults.settled(0);
        release(connection);
    }

    /** A cancel request has arrived at the server: whoever waits may have the connection now. */
    void cancelArrived(ServerConnection connection) {
        connection.cancels--;
        if (connection.cancels == 0
                && connection.client == null
                && connection.usable()
                && !connection.busy()
                && !idle.contains(connection)) {
            release(connection);
        }
    }

    // ---- connecting

    /** Opens connections, as many as are asked for and allowed. */
    private void connectMore() {
        if (closed) {
            return;
        }
        long pause = retryAt - loop.now;
        if (pause > 0) {
            if (!retryScheduled) {
                retryScheduled = true;
                loop.eventLoop.schedule(
                        () -> {
                            retryScheduled = false;
                            loop.tick();
                            connectMore();
                            loop.schedule();
                        },
                        pause,
                        java.util.concurrent.TimeUnit.NANOSECONDS);
            }
            return;
        }
        int wanted = Math.max(waiting.size() + exchanges.size(), connecting + expected - all.size());
        if (failure != null || admission != null && welcome == null) {
            wanted = Math.min(wanted, 1); // one scout until somebody is let in
        }
        // What can't even begin (no file descriptor left) has failed when this returns, and a pause is due.
        while (connecting < Math.min(wanted, CONNECTING) && all.size() < size && retryAt - loop.now <= 0) {
            connect();
        }
    }

    /** Opens connections for readiness, up to {@code count} and at most a few; who waits then gets more. */
    void warm(int count) {
        expect(count);
        connectMore();
    }

    /** As {@link #warm}, but not before {@link #connectExpected} or until somebody is let in. */
    void expect(int count) {
        expected = Math.min(Math.min(size, count), CONNECTING);
    }

    void connectExpected() {
        if (expected > 0) {
            connectMore();
        }
    }

    /**
     * Logs {@code count} connections in on a standby that lets the proxies in by {@code pass}; {@code done} follows when they are there, or when it
     * does not.
     */
    void admit(int count, String pass, Runnable done) {
        settle();
        expected = Math.min(size, count);
        if (closed || all.size() >= expected) {
            expected = 0;
            done.run();
            return;
        }
        admission = pass;
        settled = done;
        failure = null;
        retryAt = loop.now;
        connectMore();
    }

    private void settle() {
        expected = 0;
        admission = null;
        Runnable done = settled;
        settled = null;
        if (done != null) {
            done.run();
        }
    }

    private void connect() {
        Credential credential = fixed == null ? loop.accounts.credential(key.user()) : fixed;
        ServerConnection connection = new ServerConnection(
                this,
                new ServerLogin(
                        key, credential, "eden:" + loop.config.identity().name(), admission));
        all.add(connection);
        connecting++;
        loop.connector.connect(
                key.server(),
                connection,
                cause -> closed(
                        connection,
                        ErrorMessage.fatal(
                                "08001",
                                "eden: cannot reach server " + key.server().endpoint() + ": " + cause)));
    }

    void connected(ServerConnection connection) {
        String first = beginning;
        boolean asks = first == null && !connection.reports(Settings.SEARCH_PATH);
        if (asks) {
            first = SEARCH_PATH;
        }
        if (first == null) {
            admit(connection);
            return;
        }
        connection.exchange(new Exchange(first, outcome -> {
            ErrorMessage error = outcome.error();
            if (error != null) {
                connection.refuse(error);
                return;
            }
            if (asks) {
                connection.began(String.valueOf(outcome.rows().getFirst()[0]));
            }
            admit(connection);
        }));
    }

    /** True where clients share sessions that begin with what the server gives, and that is left to it. */
    boolean sharesDefaults() {
        return beginning == null && !oneClientEach();
    }

    /** The server has had its configuration reloaded: {@code changed}, as {@link Settings#bit} has them, are now as {@code values} say. */
    void defaultsAre(Settings values, int changed) {
        Welcome before = welcome;
        if (before == null) {
            return;
        }
        java.util.Map<String, String> reported = new java.util.HashMap<>(before.reported());
        for (int i = 0; i < Settings.NAMES.length; i++) {
            String value = values.value(i);
            if ((changed & Settings.bit(i)) != 0 && value != null) {
                reported.put(Settings.NAMES[i], value);
            }
        }
        welcome = new Welcome(java.util.Map.copyOf(reported), loop.settings.with(before.settings(), changed, values));
        canonical.clear();
    }

    private void admit(ServerConnection connection) {
        connection.admitted = true;
        failure = null;
        backoff = MIN_BACKOFF;
        retryAt = loop.now;
        connection.begins();
        Welcome told = new Welcome(java.util.Map.copyOf(connection.reported), connection.settings);
        if (!told.equals(welcome)) {
            welcome = told; // ALTER ROLE, ALTER DATABASE, another configuration file
            canonical.clear();
            each(other -> other.defaults.doubt());
        }
        if (closed) {
            connecting--;
            connection.close();
            return;
        }
        loop.counters.backendConnections++;
        if (admission == null) {
            entered(connection);
        } else {
            WarmUp.run(connection, loop.statements, () -> entered(connection));
        }
    }

    private void entered(ServerConnection connection) {
        connecting--;
        release(connection);
        connectMore();
        if (expected > 0 && connecting == 0 && all.size() >= expected) {
            settle();
        }
    }

    /** The connection is gone, or never came to be. */
    void closed(ServerConnection connection, ErrorMessage why) {
        if (!all.remove(connection)) {
            return;
        }
        idle.remove(connection);
        left.remove(connection);
        if (connection.admitted) {
            loop.counters.backendConnections--;
            if (all.isEmpty() && loop.gate.calm()) {
                welcome = null; // the next session may begin with something else, and nothing here says so before
            }
            connectMore();
            return;
        }
        connecting--;
        if (admission != null) {
            settle(); // it lets nobody in: then clients wait for their logins after the flip
            failure = null;
            if (!waiting.isEmpty() || !exchanges.isEmpty()) {
                connectMore(); // which has been by now
            }
            return;
        }
        expected = 0;
        loop.counters.connectFailures++;
        failure = why;
        retryAt = loop.now + (behindFence(why) ? FENCE_BACKOFF : backoff);
        backoff = Math.min(MAX_BACKOFF, backoff * 2);
        if (fixed == null && onActive() && why.sqlState().startsWith("28")) {
            loop.accounts.refused(loop, key.user());
        }
        boolean refusal = !why.sqlState().equals("08001") && !why.sqlState().equals("08006");
        if (refusal && !behindFence(why) && all.isEmpty()) {
            List<ClientSession> told = new ArrayList<>(waiting);
            waiting.clear();
            told.forEach(client -> client.refused(why));
        }
        if (!onActive() || !behindFence(why)) {
            for (Exchange exchange = exchanges.pollFirst(); exchange != null; exchange = exchanges.pollFirst()) {
                exchange.failed(why);
                exchange.end();
            }
        }
        if (waiting.isEmpty() && exchanges.isEmpty()) {
            return;
        }
        connectMore();
    }

    /** A refusal that proves that nothing ran and that ends when the new side's fence falls. */
    private boolean behindFence(ErrorMessage why) {
        return loop.gate.justFlipped()
                && switch (why.sqlState()) {
                    case "28000", "42501", "57P03", "53300", "57P01" -> true;
                    default -> false;
                };
    }

    /** Refuses those who have waited since before {@code since}. */
    void expire(long since) {
        for (ClientSession first = waiting.peekFirst();
                first != null && first.waitingSince - since < 0;
                first = waiting.peekFirst()) {
            waiting.removeFirst();
            ErrorMessage why = failure;
            first.refused(
                    why != null && all.size() == connecting
                            ? why
                            : ErrorMessage.fatal(
                                            "53300",
                                            "eden: no connection to the server became free within "
                                                    + loop.config.waitTimeout().toMillis() + " ms")
                                    .hint(
                                            "All " + size
                                                    + " connections of this pool are in use by other transactions or pinned sessions."));
        }
    }

    // ---- end

    void close() {
        retire();
        closeAll();
    }

    /** As {@link #close}; but the server is spared the end of many sessions while clients wait for a flip's end. */
    void closeLater() {
        retire();
        loop.eventLoop.schedule(this::closeAll, LATER_MILLIS, java.util.concurrent.TimeUnit.MILLISECONDS);
    }

    private void closeAll() {
        for (ServerConnection connection : new ArrayList<>(all)) {
            if (!connection.leaving()) {
                connection.close();
            }
        }
    }

    private void retire() {
        closed = true;
        settle();
        left.clear();
        for (Exchange exchange : new ArrayList<>(exchanges)) {
            exchange.failed(moved());
            exchange.end();
        }
        exchanges.clear();
        emptyLine();
    }

    private static ErrorMessage moved() {
        return ErrorMessage.fatal("57P01", "eden: the interlay has moved");
    }

    void each(Consumer<ServerConnection> action) {
        new ArrayList<>(all).forEach(action);
    }

    int open() {
        return all.size();
    }

    /** The server's processes of the connections here. */
    List<Integer> processes() {
        return all.stream()
                .filter(ServerConnection::usable)
                .map(connection -> connection.pid)
                .toList();
    }

    /** Closes connections that nobody took for a while. */
    void trim(long before) {
        while (!idle.isEmpty() && idle.getFirst().idleSince - before < 0) {
            idle.removeFirst().close();
        }
    }
}
