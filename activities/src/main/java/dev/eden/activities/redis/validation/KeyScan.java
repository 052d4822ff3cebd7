package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Goes through all keys, page by page: first those of the source, then those that only the target has. SCAN gives every key that is there
 * from beginning to end (Redis documentation, "SCAN"); what comes later comes through the log.
 */
final class KeyScan {
    private static final int SMALLEST_BATCH = 8;
    private static final long CHECK_NANOS = 500_000_000;

    private final RespConnection source;
    private final RespConnection target;
    private final WatchedComparison watched;
    private final Suspects suspects;
    private final ValidationTally tally;
    private final ValidationOptions options;
    private final Runnable check;
    private final ValidationCursor.Heartbeat heartbeat;
    private long checkedAt = System.nanoTime();
    private long pacedAt = System.nanoTime();
    private int batch;

    KeyScan(
            RespConnection source,
            RespConnection target,
            WatchedComparison watched,
            Suspects suspects,
            ValidationTally tally,
            ValidationOptions options,
            Runnable check,
            ValidationCursor.Heartbeat heartbeat) {
        this.source = source;
        this.target = target;
        this.watched = watched;
        this.suspects = suspects;
        this.tally = tally;
        this.options = options;
        this.check = check;
        this.heartbeat = heartbeat;
        this.batch = Math.min(32, options.batch());
    }

    /** {@code check} throws when the pair is not the one any more. */
    void run(ValidationCursor start) {
        tally.resume(start);
        TreeSet<Integer> databases = new TreeSet<>();
        databases.addAll(ServerInfo.read(source, "keyspace").keysByDatabase().keySet());
        databases.addAll(ServerInfo.read(target, "keyspace").keysByDatabase().keySet());
        boolean sourceDone = start.pass().equals(ValidationCursor.TARGET);
        if (!sourceDone) {
            pass(start, ValidationCursor.SOURCE, databases.tailSet(start.database()), start.scan());
        }
        pass(
                start,
                ValidationCursor.TARGET,
                sourceDone ? databases.tailSet(start.database()) : databases,
                sourceDone ? start.scan() : "0");
    }

    private void pass(ValidationCursor start, String pass, Iterable<Integer> databases, String firstCursor) {
        boolean ofSource = pass.equals(ValidationCursor.SOURCE);
        String cursor = firstCursor;
        boolean first = true;
        for (int database : databases) {
            if (!first || database != start.database()) {
                cursor = "0";
            }
            first = false;
            do {
                RespConnection connection = ofSource ? source : target;
                connection.call("SELECT", database);
                List<Reply> page = connection
                        .call("SCAN", cursor, "COUNT", options.batch())
                        .items();
                cursor = page.get(0).text();
                List<byte[]> keys = foreign(page.get(1).items());
                compare(database, ofSource ? keys : absentOnSource(database, keys), ofSource);
                pace(keys.size());
                heartbeat.beat(tally.cursor(start.report(), start.startedAt(), start.pair(), pass, database, cursor));
            } while (!cursor.equals("0"));
        }
    }

    private void compare(int database, List<byte[]> keys, boolean counts) {
        for (int at = 0; at < keys.size(); ) {
            List<byte[]> some = keys.subList(at, Math.min(at + batch, keys.size()));
            List<Verdict> verdicts = watched.compare(database, some);
            suspects.decide(database, some, verdicts);
            tally.compared(counts ? some.size() : 0);
            at += some.size();
            long bytes = watched.bytesOfLast();
            if (bytes > options.batchBytes()) {
                batch = Math.max(SMALLEST_BATCH, batch / 2);
            } else if (bytes < options.batchBytes() / 4) {
                batch = Math.min(options.batch(), batch * 2);
            }
            if (System.nanoTime() - checkedAt > CHECK_NANOS) {
                checkedAt = System.nanoTime();
                check.run();
            }
        }
    }

    private List<byte[]> absentOnSource(int database, List<byte[]> keys) {
        source.call("SELECT", database);
        keys.forEach(key -> source.send("EXISTS", key));
        source.flush();
        List<Reply> there = source.read(keys.size());
        List<byte[]> absent = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            if (there.get(i).number() == 0) {
                absent.add(keys.get(i));
            }
        }
        return absent;
    }

    private static List<byte[]> foreign(List<Reply> keys) {
        List<byte[]> foreign = new ArrayList<>(keys.size());
        for (Reply key : keys) {
            byte[] name = key.bytes();
            if (!ReplicationLedger.reserves(name)) {
                foreign.add(name);
            }
        }
        return foreign;
    }

    private void pace(int keys) {
        long due = pacedAt + keys * 1_000_000_000L / options.keysPerSecond();
        long now = System.nanoTime();
        if (due - now > 1_000_000) {
            Pause.millis((due - now) / 1_000_000);
        }
        pacedAt = Math.max(due, now);
    }
}
