package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.nio.charset.StandardCharsets;
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
 * meanwhile and nothing is known. Each of several sessions on the source watches a group of its own, so that one hot key leaves
 * only its group undecided. Streams are the exception: acknowledging an entry does not count as touching, so a difference of a stream
 * stays undecided here.
 */
final class WatchedComparison {
    private static final String OFFSET = "master_repl_offset";

    private final List<RespConnection> lanes;
    private final RespConnection target;
    private final KeyState.Reader sourceReader;
    private final KeyState.Reader targetReader;
    private final ValueComparison values;
    private final byte[] appliedKey;
    private final Duration patience;
    private long bytesOfLast;

    /** {@code lanes}: sessions on the source that nobody else uses meanwhile. */
    WatchedComparison(
            List<RespConnection> lanes,
            RespConnection target,
            KeyState.Reader sourceReader,
            KeyState.Reader targetReader,
            ValueComparison values,
            String migration,
            Duration patience) {
        this.lanes = List.copyOf(lanes);
        this.target = target;
        this.sourceReader = sourceReader;
        this.targetReader = targetReader;
        this.values = values;
        this.appliedKey = ReplicationLedger.appliedKey(migration).getBytes(StandardCharsets.UTF_8);
        this.patience = patience;
    }

    /** How many keys {@link #compare} can look at one by one. */
    int lanes() {
        return lanes.size();
    }

    /** Serialised size of what the last {@link #compare} read on the source. */
    long bytesOfLast() {
        return bytesOfLast;
    }

    /**
     * Verdicts in the order of the keys, which are spread over the lanes. Throws {@link EqualPositions.UnsettledException} when the
     * applier does not come near within the patience.
     */
    List<Verdict> compare(int database, List<byte[]> keys) {
        if (keys.isEmpty()) {
            return List.of();
        }
        List<List<byte[]>> groups = groups(keys);
        for (int i = 0; i < groups.size(); i++) {
            begin(lanes.get(i), database, groups.get(i));
        }
        // The newest position of all lanes is after every WATCH, and each group has stood still since its own.
        ServerInfo position = ServerInfo.parse("");
        List<KeyState> from = new ArrayList<>(keys.size());
        for (int i = 0; i < groups.size(); i++) {
            RespConnection lane = lanes.get(i);
            checked(lane.read());
            checked(lane.read());
            ServerInfo read = ServerInfo.parse(lane.read().text());
            if (read.number(OFFSET) >= position.number(OFFSET)) {
                position = read;
            }
            from.addAll(readStates(lane, sourceReader, groups.get(i).size()));
        }
        bytesOfLast = from.stream().mapToLong(KeyState::bytes).sum();
        awaitApplied(position.text("master_replid"), position.number(OFFSET));
        target.send("SELECT", database);
        sendReads(target, targetReader, keys);
        target.flush();
        checked(target.read());
        List<KeyState> to = readStates(target, targetReader, keys.size());
        List<ValueComparison.Pair> pairs = new ArrayList<>(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            pairs.add(new ValueComparison.Pair(keys.get(i), from.get(i), to.get(i)));
        }
        return settled(groups, pairs, values.compare(pairs));
    }

    private List<List<byte[]>> groups(List<byte[]> keys) {
        int size = (keys.size() + lanes.size() - 1) / lanes.size();
        List<List<byte[]>> groups = new ArrayList<>(lanes.size());
        for (int at = 0; at < keys.size(); at += size) {
            groups.add(keys.subList(at, Math.min(at + size, keys.size())));
        }
        return groups;
    }

    private void begin(RespConnection lane, int database, List<byte[]> keys) {
        List<Object> watch = new ArrayList<>(keys.size() + 1);
        watch.add("WATCH");
        watch.addAll(keys);
        lane.send("SELECT", database);
        lane.send(watch.toArray());
        lane.send("INFO", "replication");
        sendReads(lane, sourceReader, keys);
        lane.flush();
    }

    private List<Verdict> settled(List<List<byte[]>> groups, List<ValueComparison.Pair> pairs, List<Verdict> verdicts) {
        for (int i = 0; i < groups.size(); i++) {
            RespConnection lane = lanes.get(i);
            lane.send("MULTI");
            lane.send("PING");
            lane.send("EXEC");
            lane.flush();
        }
        List<Verdict> settled = new ArrayList<>(verdicts.size());
        for (int i = 0; i < groups.size(); i++) {
            RespConnection lane = lanes.get(i);
            checked(lane.read());
            checked(lane.read());
            Reply result = lane.read();
            checked(result);
            for (int n = groups.get(i).size(); n > 0; n--) {
                Verdict verdict = verdicts.get(settled.size());
                boolean stream = pairs.get(settled.size()).from().type().equals("stream");
                boolean open = result.isNull() || (stream && verdict instanceof Verdict.Different);
                settled.add(open ? Verdict.UNDECIDED : verdict);
            }
        }
        return settled;
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
