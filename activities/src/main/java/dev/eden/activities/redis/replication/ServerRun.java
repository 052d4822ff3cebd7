package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ServerRecords;

/**
 * Which run of the old owner went into an attempt. Between the commit and the first marker of the way back nothing on that server tells
 * whether it still has what it had when it was fenced; only that it was never restarted does ({@code run_id}, Redis documentation: INFO).
 */
public final class ServerRun {
    private static final String RECORD = "fenced:run";

    private ServerRun() {}

    /** Before the pause: writes go from here to the other side, if the attempt commits. */
    public static void remember(RespConnection server, ServerRecords records, String migration, String endpoint) {
        records.put(migration, endpoint, RECORD, of(server));
    }

    /** False where the server was restarted since; true where no attempt ever took its writes away. */
    static boolean unbroken(RespConnection server, ServerRecords records, String migration, String endpoint) {
        return records.get(migration, endpoint, RECORD).map(of(server)::equals).orElse(true);
    }

    private static String of(RespConnection server) {
        return ServerInfo.read(server, "server").text("run_id");
    }
}
