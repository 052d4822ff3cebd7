package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.ReplicationLedger;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How far a server has been written: a hash in its database 0, changed in the same transaction as the data, so that neither can be there
 * without the other.
 *
 * @param state {@code loading}, {@code streaming} or {@link #INCOMPLETE}
 * @param replid the log the offsets belong to
 * @param position everything up to here is written
 * @param database the log's selected database at {@code position}
 * @param offset everything up to here is written <em>and</em> known to be equal: never ahead of {@code position}, behind it only until the
 *     replies of the last batch were looked at. What readers, cutover and a restart go by.
 * @param offsetDatabase the log's selected database at {@code offset}
 * @param epoch of the direction that wrote it
 * @param generation of the applier that wrote it
 * @param answered the end of the last unit that names no keys whose replies were seen, whatever else is still doubtful; 0: none in this direction
 */
record AppliedMarker(
        String state,
        String replid,
        long position,
        int database,
        long offset,
        int offsetDatabase,
        long epoch,
        long generation,
        long answered) {

    /** A transaction of the log was applied, but for a command that was refused: nothing can be built on that. */
    static final String INCOMPLETE = "incomplete";

    static Optional<AppliedMarker> read(RespConnection connection, String migration) {
        return of(connection
                .call("HGETALL", ReplicationLedger.appliedKey(migration))
                .items());
    }

    /** Empty when the server was never written in this migration (a fence alone does not count). */
    static Optional<AppliedMarker> of(List<Reply> pairs) {
        Map<String, String> fields = new HashMap<>();
        for (int i = 0; i + 1 < pairs.size(); i += 2) {
            fields.put(pairs.get(i).text(), pairs.get(i + 1).text());
        }
        String state = fields.get("state");
        if (state == null) {
            return Optional.empty();
        }
        return Optional.of(new AppliedMarker(
                state,
                fields.getOrDefault("replid", ""),
                number(fields, "position"),
                (int) number(fields, "db"),
                number(fields, "offset"),
                (int) number(fields, "offset-db"),
                number(fields, "epoch"),
                number(fields, "generation"),
                answered(fields)));
    }

    /** {@code epoch:answered}: who does not know of it leaves that of another direction there, whose offsets are another log's. */
    private static long answered(Map<String, String> fields) {
        String prefix = fields.getOrDefault("epoch", "0") + ":";
        String value = fields.getOrDefault("answered", "");
        return value.startsWith(prefix) ? Long.parseLong(value.substring(prefix.length())) : 0;
    }

    AppliedMarker withGeneration(long newGeneration) {
        return new AppliedMarker(
                state, replid, position, database, offset, offsetDatabase, epoch, newGeneration, answered);
    }

    void write(RespBuffer buffer, byte[] key) {
        buffer.array(20).bulk("HSET").bulk(key, 0, key.length);
        buffer.bulk("state").bulk(state).bulk("replid").bulk(replid);
        number(buffer, "position", position);
        number(buffer, "db", database);
        number(buffer, "offset", offset);
        number(buffer, "offset-db", offsetDatabase);
        number(buffer, "epoch", epoch);
        number(buffer, "generation", generation);
        buffer.bulk("answered").bulk(epoch + ":" + answered);
    }

    private static void number(RespBuffer buffer, String field, long value) {
        buffer.bulk(field).bulkHeader(RespBuffer.digits(value)).decimal(value).crlf();
    }

    private static long number(Map<String, String> fields, String name) {
        String value = fields.get(name);
        return value == null ? 0 : Long.parseLong(value);
    }

    static byte[] key(String migration) {
        return ReplicationLedger.appliedKey(migration).getBytes(StandardCharsets.UTF_8);
    }
}
