package dev.eden.activities.redis.preparation;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.ServerRecords;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Server settings that a migration changes: the former value is stored before the change, and put back by the cleanup. */
public final class SavedSettings {
    private static final Logger LOGGER = LoggerFactory.getLogger(SavedSettings.class);
    private static final String PREFIX = "saved:config:";

    public static final String BACKLOG_SIZE = "repl-backlog-size";
    public static final String DISKLESS_SYNC_DELAY = "repl-diskless-sync-delay";
    private static final List<String> ALL = List.of(BACKLOG_SIZE, DISKLESS_SYNC_DELAY);

    private final ServerRecords records;
    private final String migration;
    private final String endpoint;

    public SavedSettings(ServerRecords records, String migration, String endpoint) {
        this.records = records;
        this.migration = migration;
        this.endpoint = endpoint;
    }

    /** The present value; empty where the server forbids CONFIG or does not know the setting. */
    public static Optional<String> read(RespConnection connection, String setting) {
        Reply reply = connection.ask("CONFIG", "GET", setting);
        return reply.isError() || reply.items().size() < 2
                ? Optional.empty()
                : Optional.of(reply.items().get(1).text());
    }

    /** Stores the present value, then sets the new one; false where the server does not let Eden. */
    boolean change(RespConnection connection, String setting, String value) {
        Optional<String> present = read(connection, setting);
        if (present.isEmpty()) {
            return false;
        }
        if (present.get().equals(value)) {
            return true;
        }
        records.putIfAbsent(migration, endpoint, PREFIX + setting, present.get());
        Reply reply = connection.ask("CONFIG", "SET", setting, value);
        if (reply instanceof Reply.Error error) {
            LOGGER.atWarn()
                    .addKeyValue("migration", migration)
                    .addKeyValue("endpoint", endpoint)
                    .log("{} could not be set: {}", setting, error.message());
            return false;
        }
        return true;
    }

    /** Puts back whatever was stored; idempotent; throws {@link RedisException} when the server refuses. */
    public void restore(RespConnection connection) {
        for (String setting : ALL) {
            Optional<String> former = records.get(migration, endpoint, PREFIX + setting);
            if (former.isPresent()) {
                connection.call("CONFIG", "SET", setting, former.get());
            }
        }
    }
}
