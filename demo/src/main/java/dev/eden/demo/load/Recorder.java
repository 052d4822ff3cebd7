package dev.eden.demo.load;

import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Writes down one request at a time: the cells it touches are announced before it is sent, and get what came back. A request
 * may touch several cells; all share its times.
 */
final class Recorder {
    /** What one request does to one cell. Reads fill in {@code value} from the answer, some writes {@code extra}. */
    static final class Entry {
        final OperationKind kind;
        final int cell;
        long value;
        long extra;
        boolean failed;

        Entry(OperationKind kind, int cell, long value, long extra) {
            this.kind = kind;
            this.cell = cell;
            this.value = value;
            this.extra = extra;
        }
    }

    /** A request; throws what Jedis throws. */
    interface Request {
        void send();
    }

    private final OperationLog log;
    private final LoadStats stats;
    private final List<Entry> entries = new ArrayList<>();
    private int session;

    Recorder(OperationLog log, LoadStats stats) {
        this.log = log;
        this.stats = stats;
    }

    Entry expect(OperationKind kind, int cell, long value, long extra) {
        Entry entry = new Entry(kind, cell, value, extra);
        entries.add(entry);
        return entry;
    }

    /** Forgets an announced effect, for instance of a transaction that a WATCH ended. */
    void forget(Entry entry) {
        entries.remove(entry);
    }

    /**
     * Sends and records.
     *
     * @param commands how many commands the request counts for
     * @return false where the connection was lost
     */
    boolean run(int commands, Request request) {
        return run(commands, true, request);
    }

    boolean run(int commands, boolean measured, Request request) {
        long invoked = System.nanoTime();
        try {
            request.send();
            long returned = System.nanoTime();
            if (measured) {
                stats.answered(commands, returned - invoked);
            } else {
                stats.answered();
            }
            record(Outcome.OK, invoked, returned);
            return true;
        } catch (JedisDataException refused) {
            stats.error(log.client(), String.valueOf(refused.getMessage()));
            record(Outcome.FAILED, invoked, System.nanoTime());
            return true;
        } catch (JedisConnectionException lost) {
            stats.disconnected(log.client(), describe(lost));
            record(Outcome.IN_DOUBT, invoked, System.nanoTime());
            session++;
            return false;
        } finally {
            entries.clear();
        }
    }

    private static String describe(Throwable lost) {
        Throwable cause = lost.getCause();
        return lost.getMessage() + (cause == null ? "" : " (" + cause.getMessage() + ")");
    }

    private void record(Outcome outcome, long invoked, long returned) {
        for (Entry entry : entries) {
            log.add(
                    entry.kind,
                    entry.failed ? Outcome.FAILED : outcome,
                    session,
                    entry.cell,
                    entry.value,
                    entry.extra,
                    invoked,
                    returned);
        }
    }

    /** One answer of a pipeline: an error reply fails its own entry only. */
    void answer(Entry entry, Runnable take) {
        try {
            take.run();
        } catch (JedisDataException refused) {
            stats.error(log.client(), String.valueOf(refused.getMessage()));
            entry.failed = true;
        }
    }
}
