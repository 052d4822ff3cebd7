package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Compares keys of one database, exactly, without holding anything up.
 *
 * <pre>
 *   source   WATCH keys · position p · read keys ·················· EXEC: not touched since WATCH?
 *   target                       wait until applied ≥ p · read keys ↑
 * </pre>
 *
 * Where EXEC goes through, the keys had one and the same value on the source from p to that moment, and what was read on the target is
 * its state at a position between the two: equal means equal and different means different. Where it does not, a key was written
 * meanwhile and nothing is known. Streams are the exception: acknowledging an entry does not count as touching, so a difference of a
 * stream stays undecided here.
 */
final class WatchedComparison {
    private final RespConnection source;
    private final RespConnection target;
    private final KeyState.Reader sourceReader;
    private final KeyState.Reader targetReader;
    private final ValueComparison values;
    private final byte[] appliedKey;
    private final Duration patience;
    private long bytesOfLast;

    WatchedComparison(
            RespConnection source,
            RespConnection target,
            KeyState.Reader sourceReader,
            KeyState.Reader targetReader,
            ValueComparison values,
            String migration,
            Duration patience) {
        this.source = source;
        this.target = target;
        this.sourceReader = sourceReader;
        this.targetReader = targetReader;
        this.values = values;
        this.appliedKey = ReplicationLedger.appliedKey(migration).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        this.patience = patience;
    }

    /** Verdicts in the order of the keys. Throws {@link EqualPositions.UnsettledException} when the applier does not come near within the patience. */
    List<Verdict> compare(int database, List<byte[]> keys) {
        if (keys.isEmpty()) {
            return List.of();
        }
        List<Object> watch = new ArrayList<>(keys.size() + 1);
        watch.add("WATCH");
        watch.addAll(keys);
        source.send("SELECT", database);
        source.send(watch.toArray());
        source.send("INFO", "replication");
        sendReads(source, sourceReader, keys);
        source.flush();
        checked(source.read());
        checked(source.read());
        ServerInfo position = ServerInfo.parse(source.read().text());
        List<KeyState> from = readStates(source, sourceReader, keys.size());
        bytesOfLast = from.stream().mapToLong(KeyState::bytes).sum();
        awaitApplied(position.text("master_replid"), position.number("master_repl_offset"));
        target.send("SELECT", database);
        sendReads(target, targetReader, keys);
        target.flush();
        checked(target.read());
        List<KeyState> to = readStates(target, targetReader, keys.size());
        List<ValueComparison.Pair> pairs = new ArrayList<>(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            pairs.add(new ValueComparison.Pair(keys.get(i), from.get(i), to.get(i)));
        }
        List<Verdict> verdicts = values.compare(pairs);
        return untouched()
                ? settled(pairs, verdicts)
                : pairs.stream().map(_ -> (Verdict) Verdict.UNDECIDED).toList();
    }

    /** Serialised size of what the last {@link #compare} read on the source. */
    long bytesOfLast() {
        return bytesOfLast;
    }

    private static List<Verdict> settled(List<ValueComparison.Pair> pairs, List<Verdict> verdicts) {
        List<Verdict> settled = new ArrayList<>(verdicts.size());
        for (int i = 0; i < verdicts.size(); i++) {
            boolean stream = pairs.get(i).from().type().equals("stream");
            settled.add(stream && verdicts.get(i) instanceof Verdict.Different ? Verdict.UNDECIDED : verdicts.get(i));
        }
        return settled;
    }

    private boolean untouched() {
        source.send("MULTI");
        source.send("PING");
        source.send("EXEC");
        source.flush();
        checked(source.read());
        checked(source.read());
        Reply result = source.read();
        checked(result);
        return !result.isNull();
    }

    private void awaitApplied(String replid, long offset) {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            target.send("SELECT", 0);
            target.send("HMGET", appliedKey, "replid", "offset");
            target.flush();
            checked(target.read());
            List<Reply> applied = target.read().items();
            boolean reached = !applied.get(1).isNull() && applied.get(1).number() >= offset;
            if (reached && applied.get(0).text().equals(replid)) {
                return;
            }
            if (System.nanoTime() > end) {
                throw new EqualPositions.UnsettledException("the target has not applied the source's position " + replid
                        + ":" + offset + " within " + patience.toSeconds() + " s");
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EqualPositions.UnsettledException("interrupted");
            }
        }
    }

    private static void sendReads(RespConnection connection, KeyState.Reader reader, List<byte[]> keys) {
        for (byte[] key : keys) {
            reader.commands(key).forEach(connection::send);
        }
    }

    private static List<KeyState> readStates(RespConnection connection, KeyState.Reader reader, int keys) {
        Iterator<Reply> replies = connection.read(keys * reader.replies()).iterator();
        List<KeyState> states = new ArrayList<>(keys);
        for (int i = 0; i < keys; i++) {
            states.add(reader.parse(replies));
        }
        return states;
    }

    private static void checked(Reply reply) {
        if (reply instanceof Reply.Error error) {
            throw new RedisException(error.message());
        }
    }
}
