package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One MULTI … EXEC on the written server: changes, their probes, whole copies and the marker. What was sent is remembered in order, so
 * that each reply finds what it answers. Reused; one thread.
 */
final class ApplyBatch {
    private static final int SMALL = 1 << 16;

    private final RespBuffer buffer = new RespBuffer(SMALL);
    private final List<Sent> sent = new ArrayList<>();
    private final BitSet seen = new BitSet();
    private final Set<Integer> unseen = new LinkedHashSet<>();
    private int database;
    private boolean uncertain;
    private int owed;

    ApplyBatch() {
        seen.set(0);
    }

    /** {@code probe}: asks only whether a key is there. Null change: not from the log (SELECT, copies, the marker): must not fail. */
    private record Sent(@Nullable Change change, boolean probe) {}

    private static final Sent OWN = new Sent(null, false);

    /** How a batch ended. */
    sealed interface Result {
        /** Executed; these changes did not do what they did at the source. */
        record Executed(List<Change> suspicious) implements Result {}

        /** Executed, the marker too, but for one that nothing makes up for: Eden's own (null), or one of the log that names no keys. */
        record Failed(@Nullable Change change, String error) implements Result {}

        /** Refused as a whole, nothing happened: the server's words. */
        record Refused(String error) implements Result {}
    }

    void begin() {
        buffer.clear();
        sent.clear();
        database = 0;
        uncertain = false;
        buffer.command("MULTI");
    }

    void add(Change change) {
        if (!change.applied()) {
            return;
        }
        select(change.database());
        for (byte[] key : change.probes()) {
            buffer.array(2).bulk("PTTL").bulk(key, 0, key.length);
            sent.add(new Sent(change, true));
            uncertain = true;
        }
        // Nothing makes up for its refusal: until its reply is seen nobody may go by it.
        uncertain |= change.keyless();
        buffer.raw(change.command().raw, 0, change.command().raw.length);
        sent.add(new Sent(change, false));
    }

    void copy(SourceReads.Value value) {
        select(value.key().database());
        for (Object[] write : value.writes()) {
            buffer.command(write);
            sent.add(OWN);
        }
    }

    void set(String key, String value) {
        select(0);
        buffer.command("SET", key, value);
        sent.add(OWN);
    }

    /** True when a reply decides whether the written side is equal afterwards. */
    boolean isUncertain() {
        return uncertain;
    }

    int size() {
        return buffer.size();
    }

    void end(AppliedMarker marker, byte[] key) {
        select(0);
        marker.write(buffer, key);
        sent.add(OWN);
        buffer.command("EXEC");
    }

    /** Sends a marker between two batches and waits for nothing; where it is refused, the next batch's says the same. */
    void announce(AppliedMarker marker, byte[] key, RespConnection to) throws IOException {
        RespBuffer announced = new RespBuffer(512);
        marker.write(announced, key);
        announced.writeTo(to.output());
        owed++;
    }

    /** Reads what is still to come before the reply to anything sent since. */
    void settle(ReplyScanner replies) throws IOException {
        for (; owed > 0; owed--) {
            replies.skip();
        }
    }

    /** Sends it and reads all replies. {@link IOException}: whether it was executed is unknown. */
    Result execute(RespConnection to, ReplyScanner replies) throws IOException {
        if (!unseen.isEmpty()) {
            requireDatabases(to, replies);
        }
        buffer.writeTo(to.output());
        settle(replies);
        replies.skip();
        String refusal = replies.isError() ? replies.error() : null;
        for (int i = 0; i < sent.size(); i++) {
            replies.skip();
            if (replies.isError() && refusal == null) {
                refusal = replies.error();
            }
        }
        replies.head();
        if (replies.isError()) {
            return new Result.Refused(refusal == null ? replies.error() : refusal);
        }
        if (!replies.isArray() || replies.value() != sent.size()) {
            throw new IOException("EXEC answered " + replies.value() + " replies instead of " + sent.size());
        }
        List<Change> suspicious = new ArrayList<>(0);
        Result.Failed failed = null;
        for (Sent one : sent) {
            replies.skip();
            Change change = one.change();
            boolean suspected = change != null && !suspicious.isEmpty() && suspicious.getLast() == change;
            if (suspected) {
                continue;
            }
            if (change == null || (change.keyless() && !one.probe())) {
                if (replies.isError() && failed == null) {
                    failed = new Result.Failed(change, RedisException.withoutArguments(replies.error()));
                }
            } else if (one.probe() ? replies.value() == -2 : failed(change, replies)) {
                suspicious.add(change);
            }
        }
        return failed == null ? new Result.Executed(suspicious) : failed;
    }

    private static boolean failed(Change change, ReplyScanner reply) {
        return reply.isError() || (change.effective() && reply.isWithoutEffect());
    }

    /** A database that the server lacks is refused only while the batch runs: what follows would go into another one. */
    private void requireDatabases(RespConnection to, ReplyScanner replies) throws IOException {
        for (int wanted : unseen) {
            new RespBuffer(64).command("SELECT", wanted).command("SELECT", 0).writeTo(to.output());
            settle(replies);
            replies.skip();
            String refusal = replies.isError() ? replies.error() : null;
            replies.skip();
            if (refusal != null && refusal.startsWith("ERR ")) {
                throw new ReplicationStopped("the target has no database " + wanted + ": " + refusal);
            }
            if (refusal != null) {
                throw new RedisException(refusal);
            }
            seen.set(wanted);
        }
        unseen.clear();
    }

    private void select(int wanted) {
        if (wanted != database) {
            buffer.command("SELECT", wanted);
            sent.add(OWN);
            database = wanted;
            if (!seen.get(wanted)) {
                unseen.add(wanted);
            }
        }
    }
}
