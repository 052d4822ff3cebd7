package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.EscapedKey;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Brings the target into the state a full load starts from. */
final class LoadTarget {
    private LoadTarget() {}

    /**
     * Empties the target where the migration may, or makes sure that it is empty; leaves the marker saying that a load is running, so that a
     * half-loaded target is known as Eden's own. On the applier's connection.
     */
    static void prepare(RespConnection own, ReplicationConfig config, long epoch, long generation) throws IOException {
        boolean ours = AppliedMarker.read(own, config.migration()).isPresent();
        boolean empties = switch (config.existing()) {
            case REPLACE -> true;
            case SKIP -> false;
            case FAIL -> {
                if (!ours) {
                    String stranger = foreignKey(own);
                    if (stranger != null) {
                        throw new ReplicationStopped("the target is not empty: it has " + stranger);
                    }
                }
                yield ours;
            }
        };
        RespBuffer buffer = new RespBuffer(512);
        buffer.command("MULTI");
        if (empties) {
            buffer.command("FLUSHALL", "ASYNC");
            if (ServerInfo.read(own, "server").atLeast(7, 0)) {
                buffer.command("FUNCTION", "FLUSH");
            }
        }
        new AppliedMarker("loading", "", 0, 0, 0, 0, epoch, generation)
                .write(buffer, AppliedMarker.key(config.migration()));
        buffer.command("EXEC");
        buffer.writeTo(own.output());
        ReplyScanner replies = new ReplyScanner(own.input());
        do {
            replies.skip();
            if (replies.isError()) {
                throw new IOException("the target can't be made ready: " + replies.error());
            }
        } while (!replies.isArray());
    }

    /** Some key that is not Eden's, escaped; null when there is none. */
    private static @Nullable String foreignKey(RespConnection own) {
        String found = null;
        for (int database : ServerInfo.read(own, "keyspace").keysByDatabase().keySet()) {
            own.call("SELECT", database);
            String cursor = "0";
            do {
                var reply = own.call("SCAN", cursor, "COUNT", 1000).items();
                cursor = reply.get(0).text();
                List<byte[]> keys = new ArrayList<>();
                reply.get(1).items().forEach(key -> keys.add(key.bytes()));
                for (byte[] key : keys) {
                    if (!ReplicationLedger.reserves(key) && found == null) {
                        found = EscapedKey.quoted(key) + " in database " + database;
                    }
                }
            } while (found == null && !cursor.equals("0"));
        }
        own.call("SELECT", 0);
        return found;
    }
}
