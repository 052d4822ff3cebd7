package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.proxy.CanaryPolicy;
import java.io.IOException;
import java.time.Duration;

/** Brings the target into the state a full load starts from. */
final class LoadTarget {
    /** Until proxies read by nothing they saw before, and what they had sent by then has been answered. */
    private static final Duration LEAVING = CanaryPolicy.SEEN_WITHIN.plusMillis(500);

    private LoadTarget() {}

    /**
     * Empties the target where the migration may, or makes sure that it is empty; leaves the marker saying that a load is running, so that a
     * half-loaded target is known as Eden's own. It is left before what proxies may read there is gone. On the applier's connection. Where
     * the target's own keys stay, nothing is changed before the copy comes, which {@link #begin} says: it can be loaded once, since later
     * nothing tells its keys from those of the load before.
     */
    static void prepare(RespConnection own, ReplicationConfig config, long epoch, long generation)
            throws IOException, InterruptedException {
        boolean ours = AppliedMarker.read(own, config.migration()).isPresent();
        boolean empties = switch (config.existing()) {
            case REPLACE -> true;
            case SKIP -> {
                if (ours) {
                    throw new ReplicationStopped(
                            "the target can't be loaded a second time while it keeps its own keys (replace: skip): an"
                                    + " earlier load, or one that was interrupted, has left keys that can't be told from"
                                    + " them");
                }
                yield false;
            }
            case FAIL -> {
                if (!ours) {
                    int database = foreign(own);
                    if (database >= 0) {
                        throw new ReplicationStopped(
                                "the target is not empty: database " + database + " has keys that are not Eden's");
                    }
                }
                yield ours;
            }
        };
        if (config.existing() == ReplicationConfig.Existing.SKIP) {
            return;
        }
        if (ours && empties) {
            begin(own, config, epoch, generation);
            Thread.sleep(LEAVING);
        }
        AppliedMarker loading = loading(epoch, generation);
        RespBuffer buffer = new RespBuffer(512);
        buffer.command("MULTI");
        if (empties) {
            buffer.command("FLUSHALL", "ASYNC");
            if (ServerInfo.read(own, "server").atLeast(7, 0)) {
                buffer.command("FUNCTION", "FLUSH");
            }
        }
        loading.write(buffer, AppliedMarker.key(config.migration()));
        buffer.command("EXEC");
        buffer.writeTo(own.output());
        ReplyScanner replies = new ReplyScanner(own.input());
        do {
            replies.skip();
            if (replies.isError()) {
                throw new IOException(
                        "the target can't be made ready: " + RedisException.withoutArguments(replies.error()));
            }
        } while (!replies.isArray());
    }

    /** Says that a load is running. */
    static void begin(RespConnection own, ReplicationConfig config, long epoch, long generation) throws IOException {
        RespBuffer buffer = new RespBuffer(512);
        loading(epoch, generation).write(buffer, AppliedMarker.key(config.migration()));
        buffer.writeTo(own.output());
        own.read().number();
    }

    private static AppliedMarker loading(long epoch, long generation) {
        return new AppliedMarker("loading", "", 0, 0, 0, 0, epoch, generation, 0);
    }

    /** A database with a key that is not Eden's; -1 when there is none. */
    private static int foreign(RespConnection own) {
        int found = -1;
        for (int database : ServerInfo.read(own, "keyspace").keysByDatabase().keySet()) {
            own.call("SELECT", database);
            String cursor = "0";
            do {
                var reply = own.call("SCAN", cursor, "COUNT", 1000).items();
                cursor = reply.get(0).text();
                if (reply.get(1).items().stream().anyMatch(key -> !ReplicationLedger.reserves(key.bytes()))) {
                    found = database;
                }
            } while (found < 0 && !cursor.equals("0"));
            if (found >= 0) {
                break;
            }
        }
        own.call("SELECT", 0);
        return found;
    }
}
