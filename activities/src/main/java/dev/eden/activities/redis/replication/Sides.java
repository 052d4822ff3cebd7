package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import dev.eden.proxy.redis.CommandTable;
import java.time.Duration;
import java.util.function.Function;

/** The two servers of one generation of one direction, and how Eden logs in to them. */
record Sides(
        String migration, Direction direction, long generation, Endpoint from, Endpoint to, ServerRecords records) {
    static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final String APPLY_LOGIN = "login:apply:";

    /** To administer and read the followed side. */
    RespConnection connectFrom(String part) {
        return loggedIn(from, login -> RespConnection.connect(from, login, name(part), TIMEOUT));
    }

    /** To administer the written side; never to write the log. */
    RespConnection connectTo(String part) {
        return loggedIn(to, login -> RespConnection.connect(to, login, name(part), TIMEOUT));
    }

    /** What the log may hold: the followed server's own word on its commands, which may be newer ones than Eden has a table of. */
    CommandTable commands() {
        try (RespConnection connection = connectFrom("commands")) {
            return LoggedCommands.of(connection);
        }
    }

    /** With the applier's identity. */
    RespConnection connectApplier() {
        return RespConnection.connect(to, applierLogin(), name("apply"), TIMEOUT);
    }

    ReplicaLink connectLink() {
        return loggedIn(from, login -> ReplicaLink.connect(from, login, name("replica")));
    }

    Backend.Login applierLogin() {
        return records.login(migration, to.id(), APPLY_LOGIN + generation, ApplierIdentity.user(migration, generation));
    }

    /** The predecessor's user is deleted by now. */
    void forgetOlderLogin() {
        records.remove(migration, to.id(), APPLY_LOGIN + (generation - 1));
    }

    Backend.Login fromLogin() {
        return control(from);
    }

    Backend.Login toLogin() {
        return control(to);
    }

    private <T> T loggedIn(Endpoint endpoint, Function<Backend.Login, T> connect) {
        return EdenUsers.loggedIn(migration, endpoint, records, connect);
    }

    private Backend.Login control(Endpoint endpoint) {
        return EdenUsers.controlLogin(migration, endpoint, records);
    }

    private String name(String part) {
        return "eden:" + part + ":" + migration;
    }
}
