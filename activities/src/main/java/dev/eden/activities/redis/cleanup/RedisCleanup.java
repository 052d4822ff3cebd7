package dev.eden.activities.redis.cleanup;

import dev.eden.activities.cleanup.EachSide;
import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.AclRecords;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.preparation.SavedSettings;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Failpoints;
import dev.eden.workflows.MigrationSpec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes everything of Eden's off both servers after a migration has ended: keys, settings, the fence, users; at the very end what is
 * stored about them. Each side by itself, the owner of writes first: see {@link EachSide}. Each step is idempotent, so that a crash at any line is
 * finished by the next run. The caller has ended replication and taken the standby out of the routes.
 */
public final class RedisCleanup {
    private static final Logger LOGGER = LoggerFactory.getLogger(RedisCleanup.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final EndpointDirectory endpoints;
    private final ServerRecords records;

    public RedisCleanup(EndpointDirectory endpoints, ServerRecords records) {
        this.endpoints = endpoints;
        this.records = records;
    }

    /**
     * @param completed the target stays the owner and keeps the users copied from the source; else the source is, and the target gets
     *     back the users it had
     * @param emptyTarget after a rollback: delete all data of the target. Not for a target whose own keys were kept ({@code replace:
     *     skip}): those cannot be told from the copied ones
     */
    public void cleanUp(MigrationSpec spec, boolean completed, boolean emptyTarget) {
        String migration = spec.id();
        records.end(migration);
        EachSide sides = new EachSide(records, migration, RedisCleanup::words);
        List<String> ownerFirst =
                completed ? List.of(spec.target(), spec.source()) : List.of(spec.source(), spec.target());
        for (String side : ownerFirst) {
            boolean asBefore = side.equals(spec.target()) && !completed;
            boolean empty = emptyTarget && !spec.data().replace().equals("skip");
            sides.last(side, () -> clean(migration, endpoints.endpoint(side), asBefore, empty));
        }
        Failpoints.reach("cleanup.before-forget");
        sides.end();
        records.removeAll(migration);
        LOGGER.atInfo()
                .addKeyValue("migration", migration)
                .log("nothing of Eden's is left on {} and {}", spec.source(), spec.target());
    }

    /** {@code asBefore}: with the users that it had, and without what came since as far as that can be told. */
    private void clean(String migration, Endpoint side, boolean asBefore, boolean empty) {
        AclRecords acl = new AclRecords(records, migration);
        try (RespConnection connection = EdenUsers.connect(migration, side, records, TIMEOUT)) {
            EdenUsers.endOthers(connection, migration);
            if (asBefore && acl.original(side.id()).isPresent()) {
                takeBack(migration, side, connection, empty);
            }
            leave(migration, side, connection, asBefore ? acl.takenBack(side.id()) : acl.whenActive(side.id()));
        }
    }

    private static String words(RuntimeException failure) {
        return failure instanceof RedisConnectionException
                ? "it cannot be reached"
                : String.valueOf(failure.getMessage());
    }

    /** What came to the target with the load. Scripts are only flushed where it had none before: they cannot be removed one by one. */
    private void takeBack(String migration, Endpoint target, RespConnection connection, boolean empty) {
        if (empty) {
            connection.call("FLUSHALL");
            Optional<String> functions = records.get(migration, target.id(), RedisPreparation.SAVED_FUNCTIONS);
            if (functions.isPresent()) {
                connection.call("FUNCTION", "RESTORE", Base64.getDecoder().decode(functions.get()), "FLUSH");
            }
        }
        boolean hadNoScripts = records.get(migration, target.id(), RedisPreparation.SAVED_SCRIPTS)
                .filter("0"::equals)
                .isPresent();
        if (hadNoScripts) {
            connection.call("SCRIPT", "FLUSH");
        }
    }

    private void leave(String migration, Endpoint endpoint, RespConnection connection, Optional<AclSnapshot> users) {
        String prefix = "eden:{" + migration + "}";
        for (int database :
                ServerInfo.read(connection, "keyspace").keysByDatabase().keySet()) {
            deleteKeys(connection, database, prefix);
        }
        Failpoints.reach("cleanup.keys");
        new SavedSettings(records, migration, endpoint.id()).restore(connection);
        Failpoints.reach("cleanup.settings");
        if (users.isPresent()) {
            AclUsers.restoreFenced(connection, users.get());
        }
        Failpoints.reach("cleanup.users");
        EdenUsers.forget(migration, endpoint, records);
        EdenUsers.remove(connection, migration);
        // The server may have ended this session with its user; saving the users' file needs one that still exists.
        try (RespConnection own = RespConnection.connect(endpoint, "eden:cleanup:" + migration, TIMEOUT)) {
            AclUsers.persist(own);
        }
    }

    private static void deleteKeys(RespConnection connection, int database, String prefix) {
        connection.call("SELECT", database);
        byte[] wanted = prefix.getBytes(StandardCharsets.UTF_8);
        String cursor = "0";
        do {
            List<Reply> page = connection
                    .call("SCAN", cursor, "MATCH", "eden:{*", "COUNT", 1000)
                    .items();
            cursor = page.get(0).text();
            List<Object> command = new ArrayList<>(List.of("DEL"));
            for (Reply key : page.get(1).items()) {
                byte[] name = key.bytes();
                if (name.length >= wanted.length && Arrays.equals(name, 0, wanted.length, wanted, 0, wanted.length)) {
                    command.add(name);
                }
            }
            if (command.size() > 1) {
                connection.call(command.toArray());
            }
        } while (!cursor.equals("0"));
    }
}
