package dev.eden.proxy.postgres;

import dev.eden.proxy.CanaryPolicy;
import dev.eden.proxy.Route;
import io.netty.buffer.ByteBuf;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Which of one client's reads the standby serves. A client is chosen once, so that its reads stay on one side; a read of a chosen client goes
 * there when the standby has what this client (or, {@code global}, anybody) had been told before. Its answer is kept until it is whole, unless it is
 * long: what fails there is served by the active side instead, and the client never learns.
 *
 * <pre>
 *   ACTIVE ◄── not a read, not eligible, not chosen, waited too long
 *   WAIT   ◄── the standby is not there yet, or its session is being brought to the client's settings
 *   STANDBY ── whole answer ──► client
 *      └────── error, loss ───► the same request again, ACTIVE
 * </pre>
 */
final class Canary {
    /** Why a read that the standby was asked for is served by the active side after all. */
    static final String FAILED = "standby_error";
    /** Something holds a table there. */
    static final String LOCKED = "standby_locked";

    private static final int WHOLE = 10_000;
    private static final long RETRY_MICROS = 500;
    /** Longer than that nobody has to look back who has not been told anything. */
    private static final long LONG_AGO = TimeUnit.SECONDS.toNanos(10);
    /** Indices into {@link Settings#NAMES}: what a read can tell. */
    static final int[] TOLD = {0, 1, 2, 3, 4, Settings.SEARCH_PATH};

    private final ClientSession session;
    private final PostgresLoop loop;
    private final int slot = ThreadLocalRandom.current().nextInt(WHOLE);

    private boolean told;
    private long toldAt;
    private long waitingSince;
    private boolean activeNext;
    private boolean preparing;
    /** What the standby does not know how to set. */
    private @Nullable Settings refused;

    private @Nullable ServerConnection ready;

    private boolean closed;

    Canary(ClientSession session) {
        this.session = session;
        this.loop = session.loop;
    }

    enum Choice {
        ACTIVE,
        STANDBY,
        WAIT
    }

    /** The active side has answered: reads may not be older than that from now on. */
    void told(long at) {
        told = true;
        toldAt = at;
    }

    /** What to do with the message at {@code start}, the first of a batch that nothing is under way before. */
    Choice choose(ByteBuf in, int start, @Nullable Settings settings) {
        Route route = loop.gate.route();
        if (settings == null || route == null || !on(route)) {
            return leave();
        }
        if (preparing) {
            return Choice.WAIT;
        }
        if (activeNext) {
            activeNext = false;
            return leave();
        }
        if (!loop.gate.open()) {
            return leave();
        }
        ReadBatch batch = ReadBatch.at(in, start, session.statements);
        if (!batch.complete()) {
            passes(in, start, "messages");
            return leave();
        }
        if (waitingSince == 0) {
            ReadText.Verdict verdict = verdict(in, batch);
            if (!verdict.read()) {
                return leave();
            }
            String reason = session.bound() ? "pinned" : verdict.reason();
            if (reason == null && (!plain(settings) || settings == refused)) {
                reason = "settings";
            }
            if (reason != null) {
                return refuse(reason);
            }
            loop.counters.eligibleReads++;
            ServerPool active = session.place.pool();
            if (verdict.comparable() && active != null) {
                loop.shadowReads.offer(in, start, batch, settings, active);
            }
            if (!chosen(route)) {
                return leave();
            }
            loop.counters.chosenReads++;
        }
        return serve(route, in, start, batch.length(), settings);
    }

    /** True while a connection to the standby is made what this client expects. */
    boolean preparing() {
        return preparing;
    }

    /** True where this client's reads go to the standby now, whatever they are. */
    boolean mayServeTransactions() {
        Route route = loop.gate.route();
        if (!on(route) || route == null || session.bound() || !loop.gate.open()) {
            return false;
        }
        ServerPool active = session.place.pool();
        return chosen(route) && active != null && loop.standbyPools.pool(active) != null;
    }

    /** True where a transaction that names no isolation level looks at the data anew with each statement. */
    boolean readsCommittedByDefault() {
        ServerPool active = session.place.pool();
        return active != null && loop.standbyPools.readCommitted(active);
    }

    private boolean chosen(Route route) {
        return slot < Math.round(route.canary().readShare() * WHOLE);
    }

    private static boolean on(@Nullable Route route) {
        return route != null && route.standby() != null && route.canary().readShare() > 0;
    }

    /** Counts the message at {@code start} if it is a read that goes to the active side whatever it says. */
    void passes(ByteBuf in, int start, String reason) {
        if (on(loop.gate.route()) && reads(in, start)) {
            loop.counters.ineligible.merge(reason, 1L, Long::sum);
        }
    }

    /** Counts a read that is where it is because of what goes on around it. */
    void passes(ByteBuf in, int start, ServerConnection holding) {
        if (session.standbyRead.running()) {
            return;
        }
        if (holding.transactionOpen()) {
            passes(in, start, "transaction");
        } else if (session.bound()) {
            passes(in, start, "pinned");
        } else if (session.batches.unanswered() > 0) {
            passes(in, start, "pipelined");
        }
    }

    private boolean reads(ByteBuf in, int start) {
        int from = start + Message.HEADER;
        int limit = Math.min(in.writerIndex(), start + 1 + in.getInt(start + 1));
        switch (in.getByte(start)) {
            case 'Q' -> {
                return ReadText.begins(in, from, limit);
            }
            case 'P' -> {
                int text = Message.endOfString(in, from, limit) + 1;
                return text > 0 && ReadText.begins(in, text, limit);
            }
            case 'B' -> {
                int name = Message.endOfString(in, from, limit) + 1;
                int end = Message.endOfString(in, name, limit);
                if (name <= 0 || end < 0) {
                    return false;
                }
                ClientStatements.Entry entry = end == name ? null : session.statements.find(in, name, end);
                Prepared statement = entry == null ? session.statements.unnamed() : entry.statement();
                return statement != null && statement.reads();
            }
            default -> {
                return false;
            }
        }
    }

    private Choice serve(Route route, ByteBuf in, int start, int length, Settings settings) {
        ServerConnection connection = ready;
        if (connection == null) {
            ServerPool active = session.place.pool();
            if (active == null || !StandbyPools.reproducible(active.key)) {
                return refuse("options");
            }
            ServerPool pool = loop.standbyPools.pool(active);
            connection = pool == null ? null : pool.take(session);
            if (connection == null) {
                if (pool != null) {
                    pool.warm(Integer.MAX_VALUE);
                }
                return refuse("standby_unavailable");
            }
            connection.client = null;
            ready = connection;
            Map<String, String> differences = differences(settings, connection.settings);
            if (!differences.isEmpty()) {
                if (!Encoding.writes(connection.settings.encoding(), differences.toString())) {
                    return refuse("settings");
                }
                prepare(connection, differences, settings);
                if (waitingSince == 0) {
                    waitingSince = loop.now;
                }
                return Choice.WAIT;
            }
        }
        if (!connection.usable() || connection.pool.isClosed()) {
            ready = null;
            return refuse("standby_unavailable");
        }
        boolean global = route.canary().consistency() == CanaryPolicy.Consistency.GLOBAL;
        long moment = global ? (waitingSince == 0 ? loop.now : waitingSince) : told ? toldAt : loop.now - LONG_AGO;
        if (loop.standbySide.covers(moment, connection.connectedAt)) {
            ready = null;
            waitingSince = 0;
            connection.client = session;
            session.standbyRead.begin(in.retainedSlice(start, length), connection);
            return Choice.STANDBY;
        }
        if (waitingSince == 0) {
            waitingSince = loop.now;
        } else if (System.nanoTime() - waitingSince >= route.canary().maxWait().toNanos()) {
            return refuse("stale");
        }
        loop.eventLoop.schedule(
                () -> {
                    loop.tick();
                    session.process();
                    loop.schedule();
                },
                RETRY_MICROS,
                TimeUnit.MICROSECONDS);
        return Choice.WAIT;
    }

    private void prepare(ServerConnection connection, Map<String, String> differences, Settings settings) {
        preparing = true;
        connection.exchange(new Exchange(Settings.statement(differences), outcome -> {
            preparing = false;
            if (outcome.error() == null) {
                for (int i : TOLD) {
                    String value = settings.value(i);
                    if (value != null) {
                        connection.has(i, value);
                    }
                }
            }
            boolean done = outcome.error() == null;
            if (closed || waitingSince == 0 || !done) {
                ready = null; // the read that it was for is served elsewhere, and the client may be another by its next
                connection.pool.reclaim(connection, false); // what is refused has changed nothing
            }
            if (!done && !closed) {
                refused = connection.usable() ? settings : null;
                failedThere(FAILED);
            }
            if (!closed) {
                session.process();
            }
        }));
    }

    private static Map<String, String> differences(Settings wanted, Settings there) {
        Map<String, String> differences = new TreeMap<>();
        for (int i : TOLD) {
            String value = wanted.value(i);
            if (value != null && !value.equals(there.value(i))) {
                differences.put(Settings.NAMES[i], value);
            }
        }
        return differences;
    }

    /** Texts mean what {@link ReadText} takes them for. */
    private static boolean plain(Settings settings) {
        String path = settings.value(Settings.SEARCH_PATH);
        return "UTF8".equals(settings.value(0))
                && "on".equals(settings.value(4))
                && (path == null || !path.contains("information_schema") && !path.contains("pg_"));
    }

    private ReadText.Verdict verdict(ByteBuf in, ReadBatch batch) {
        Prepared statement = batch.statement();
        long version = loop.standbySide.catalogueVersion();
        ReadCatalogue catalogue = loop.standbySide.catalogue();
        return statement == null
                ? ReadText.judge(catalogue, in, batch.textFrom(), batch.textTo())
                : statement.verdict(catalogue, version);
    }

    private Choice refuse(String reason) {
        loop.counters.ineligible.merge(reason, 1L, Long::sum);
        return leave();
    }

    /** The active side serves the message at hand; whatever was taken for it goes back, and the next one is judged by itself. */
    Choice leave() {
        waitingSince = 0;
        ServerConnection unused = ready;
        if (unused != null && !preparing) {
            ready = null;
            unused.pool.release(unused);
        }
        return Choice.ACTIVE;
    }

    /** The standby could not serve the read: the active side does. */
    void failedThere(String reason) {
        loop.counters.ineligible.merge(reason, 1L, Long::sum);
        activeNext = true;
    }

    /** The client has gone. */
    void close() {
        closed = true;
        leave();
    }
}
