package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RespConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One MULTI … EXEC on the written server: changes, their probes, whole copies and the marker. What was sent is remembered in order, so
 * that each reply finds what it answers. Reused; one thread.
 */
final class ApplyBatch {
    private static final int SMALL = 1 << 16;

    private final RespBuffer buffer = new RespBuffer(SMALL);
    private final List<Sent> sent = new ArrayList<>();
    private int database;
    private boolean uncertain;

    /** {@code probe}: asks only whether a key is there. Null change: not from the log (SELECT, copies, the marker): must not fail. */
    private record Sent(@Nullable Change change, boolean probe) {}

    private static final Sent OWN = new Sent(null, false);

    /** How a batch ended. */
    sealed interface Result {
        /** Executed; these changes did not do what they did at the source. */
        record Executed(List<Change> suspicious) implements Result {}

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
        buffer.raw(change.command().raw, 0, change.command().raw.length);
        sent.add(new Sent(change, false));
    }

    void copy(SourceReads.Value value) {
        select(value.key().database());
        byte[] payload = value.payload();
        if (payload == null) {
            buffer.command("DEL", value.key().key());
        } else {
            buffer.command("RESTORE", value.key().key(), value.expireAtMillis(), payload, "REPLACE", "ABSTTL");
        }
        sent.add(OWN);
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

    /** Sends it and reads all replies. {@link IOException}: whether it was executed is unknown. */
    Result execute(RespConnection to, ReplyScanner replies) throws IOException {
        buffer.writeTo(to.output());
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
        for (Sent one : sent) {
            replies.skip();
            Change change = one.change();
            if (change == null) {
                if (replies.isError()) {
                    throw new ReplicationStopped("the target refused a write of Eden's own: " + replies.error());
                }
            } else if (one.probe() ? replies.value() == -2 : failed(change, replies)) {
                if (suspicious.isEmpty() || suspicious.getLast() != change) {
                    suspicious.add(change);
                }
            }
        }
        return new Result.Executed(suspicious);
    }

    private static boolean failed(Change change, ReplyScanner reply) {
        if (!reply.isError()) {
            return change.effective() && reply.isWithoutEffect();
        }
        if (change.keys() == null || change.keys().isEmpty()) {
            throw new ReplicationStopped(
                    "the target refused " + change.command().name + " of the source's log: " + reply.error());
        }
        return true;
    }

    private void select(int wanted) {
        if (wanted != database) {
            buffer.command("SELECT", wanted);
            sent.add(OWN);
            database = wanted;
        }
    }
}
