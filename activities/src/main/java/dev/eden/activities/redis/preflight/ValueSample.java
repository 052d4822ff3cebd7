package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.EscapedKey;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.util.List;

/**
 * A bounded look at a server's keys: the largest values met, and names that Eden keeps for itself. Stops at its time limit; small
 * servers are seen whole.
 */
record ValueSample(
        long keysSeen, boolean complete, long largestBytes, String largestKey, long reservedKeys, boolean exact) {
    private static final int PAGE = 200;

    /** {@code limitMillis} bounds the time over all databases, give or take one page. */
    static ValueSample take(RespConnection connection, ServerInfo info, long limitMillis) {
        long end = System.nanoTime() + limitMillis * 1_000_000;
        long seen = 0;
        long largest = 0;
        byte[] largestKey = {};
        boolean exact = false;
        long reserved = 0;
        boolean complete = true;
        for (int database : info.keysByDatabase().keySet()) {
            connection.call("SELECT", database);
            String cursor = "0";
            do {
                if (System.nanoTime() > end) {
                    complete = false;
                    break;
                }
                List<Reply> page =
                        connection.call("SCAN", cursor, "COUNT", PAGE).items();
                cursor = page.get(0).text();
                List<Reply> keys = page.get(1).items();
                for (Reply key : keys) {
                    connection.send("MEMORY", "USAGE", key.bytes(), "SAMPLES", 1);
                    connection.send("STRLEN", key.bytes());
                    if (ReplicationLedger.reserves(key.bytes())) {
                        reserved++;
                    }
                }
                connection.flush();
                for (Reply key : keys) {
                    Reply memory = connection.read();
                    Reply length = connection.read();
                    boolean string = !length.isError();
                    long bytes = string ? length.number() : memory.isError() || memory.isNull() ? 0 : memory.number();
                    if (bytes > largest) {
                        largest = bytes;
                        largestKey = key.bytes();
                        exact = string;
                    }
                }
                seen += keys.size();
            } while (!cursor.equals("0"));
        }
        return new ValueSample(seen, complete, largest, EscapedKey.of(largestKey), reserved, exact);
    }
}
