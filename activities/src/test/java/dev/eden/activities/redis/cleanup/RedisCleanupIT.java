package dev.eden.activities.redis.cleanup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.Stalled;
import dev.eden.activities.cleanup.CleanupIncomplete;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUser;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.AclRecords;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.redis.preparation.InterceptedRecords;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.MigrationEndedException;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import dev.eden.proxy.RouteState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass
@ValueSource(strings = {"7.0", "6.2"})
class RedisCleanupIT {
    private static final String ID = RedisServers.MIGRATION;

    private final String version;
    private final RedisServers servers;
    private final InMemoryServerRecords records = new InMemoryServerRecords();
    private Optional<RouteLedger.Routes> routes = Optional.empty();

    RedisCleanupIT(String version) {
        this.version = version;
        servers = RedisServers.start(version);
        try (RespConnection source = servers.connect("source");
                RespConnection target = servers.connect("target")) {
            source.call("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-config");
            source.call("ACL", "SETUSER", "shared", "on", ">of-source", "~*", "&*", "+@all");
            target.call("ACL", "SETUSER", "shared", "on", ">of-target", "~*", "&*", "+@read");
            target.call("ACL", "SETUSER", "owner", "on", ">owner", "~*", "&*", "+@all");
            source.call("MSET", "a", "1", "b", "2");
            source.call("SELECT", "3");
            source.call("SADD", "c", "x");
            if (version.equals("7.0")) {
                target.call(
                        "FUNCTION", "LOAD", "#!lua name=own\nredis.register_function('f', function() return 1 end)");
            }
        }
    }

    @AfterEach
    void stop() {
        servers.close();
    }

    @Test
    void afterARollbackNothingIsLeftOnEitherServer() {
        String sourceBefore = portrait("source");
        String targetBefore = portrait("target");
        preparation().prepare(RedisServers.spec("replace"));
        assertThat(portrait("source")).isNotEqualTo(sourceBefore);
        markers("source");
        markers("target");
        copySomething();
        cleanup().cleanUp(RedisServers.spec("replace"), false, true);
        assertThat(portrait("source")).isEqualTo(sourceBefore);
        assertThat(portrait("target")).isEqualTo(targetBefore);
        assertThat(records.isEmpty()).isTrue();
        cleanup().cleanUp(RedisServers.spec("replace"), false, true);
        assertThat(portrait("target")).isEqualTo(targetBefore);
    }

    @Test
    void theSourceIsFreeThoughTheTargetIsAway() {
        String sourceBefore = portrait("source");
        preparation().prepare(RedisServers.spec("replace"));
        markers("source");
        servers.target.kill();
        assertThatThrownBy(() -> cleanup().cleanUp(RedisServers.spec("replace"), false, true))
                .isInstanceOf(CleanupIncomplete.class)
                .hasMessage("target is not clean yet: it cannot be reached; source is clean");
        assertThat(portrait("source")).isEqualTo(sourceBefore);
        // Its own again: what is changed there stays.
        try (RespConnection source = servers.connect("source")) {
            source.call("ACL", "DELUSER", "shared");
        }
        String changed = portrait("source");
        assertThatThrownBy(() -> cleanup().cleanUp(RedisServers.spec("replace"), false, true))
                .isInstanceOf(CleanupIncomplete.class);
        assertThat(portrait("source")).isEqualTo(changed);
    }

    @Test
    void dataStaysOnTheTargetUnlessItIsToBeEmptied() {
        preparation().prepare(RedisServers.spec("replace"));
        markers("target");
        copySomething();
        cleanup().cleanUp(RedisServers.spec("replace"), false, false);
        try (RespConnection target = servers.connect("target")) {
            assertThat(target.call("GET", "a").text()).isEqualTo("1");
            assertThat(target.call("KEYS", "eden:*").items()).isEmpty();
        }
        records.begin(ID);
        preparation().prepare(RedisServers.spec("skip"));
        cleanup().cleanUp(RedisServers.spec("skip"), false, true);
        try (RespConnection target = servers.connect("target")) {
            assertThat(target.call("GET", "a").text()).isEqualTo("1");
        }
    }

    @Test
    void afterCompletionTheTargetHasItsOwnUsersAndThoseOfTheSource() {
        String sourceBefore = portrait("source");
        preparation().prepare(RedisServers.spec("replace"));
        AclRecords acl = new AclRecords(records, ID);
        try (RespConnection source = control("source");
                RespConnection target = control("target")) {
            AclSnapshot now = AclSnapshot.take(source);
            acl.unfenced("source", now);
            AclUsers.fence(source, now);
            AclUsers.restore(target, acl.unfenced("target"));
        }
        markers("source");
        cleanup().cleanUp(RedisServers.spec("replace"), true, false);
        assertThat(portrait("source")).isEqualTo(sourceBefore);
        try (RespConnection app = servers.connect("target", "app", "secret");
                RespConnection shared = servers.connect("target", "owner", "owner")) {
            app.call("SET", "k", "v");
            List<AclUser> users = AclUsers.read(shared);
            assertThat(users).extracting(AclUser::name).containsExactlyInAnyOrder("default", "app", "shared", "owner");
            assertThat(users).noneMatch(AclUser::fenced);
        }
        assertThatThrownBy(() -> servers.connect("target", "shared", "of-source"))
                .isInstanceOf(RedisException.class);
    }

    /** A worker that was cut off from Eden while another one cleaned up. */
    @Test
    void whoComesLateDoesNotMakeEdensUsersAgain() {
        String sourceBefore = portrait("source");
        String targetBefore = portrait("target");
        preparation().prepare(RedisServers.spec("replace"));
        assertThatThrownBy(() -> late("source", () -> cleanup().cleanUp(RedisServers.spec("replace"), false, true)))
                .isInstanceOf(RedisException.class);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> late("source", () -> {})).isInstanceOf(RedisException.class);
            assertThatThrownBy(() -> late("target", () -> {})).isInstanceOf(RedisException.class);
            control("source").close();
        }
        assertThat(portrait("source")).isEqualTo(sourceBefore);
        assertThat(portrait("target")).isEqualTo(targetBefore);
        assertThat(records.isEmpty()).isTrue();
    }

    /** A try of the preparation whose worker was stopped, given up for dead, and goes on when all is cleaned up. */
    @Test
    void aLatePreparationMakesNothingAnew() throws InterruptedException {
        String sourceBefore = portrait("source");
        String targetBefore = portrait("target");
        for (String at : List.of("login:control", "fence", "beginning")) {
            Stalled late = new Stalled();
            EndpointDirectory directory = id -> {
                if (at.equals("beginning")) {
                    late.here();
                }
                return servers.endpoint(id);
            };
            ServerRecords stalling = new InterceptedRecords(records, name -> {
                if (name.equals(at)) {
                    late.here();
                }
            });
            late.start(() -> new RedisPreparation(directory, stalling, _ -> {
                        if (at.equals("fence")) {
                            late.here();
                        }
                        return routes;
                    })
                    .prepare(RedisServers.spec("replace")));
            cleanup().cleanUp(RedisServers.spec("replace"), false, true);
            assertThat(late.goOn()).as(at).isNotNull();
            assertThat(portrait("source")).as(at).isEqualTo(sourceBefore);
            assertThat(portrait("target")).as(at).isEqualTo(targetBefore);
            assertThat(records.isEmpty()).as(at).isTrue();
            assertThatThrownBy(() -> preparation().prepare(RedisServers.spec("replace")))
                    .isInstanceOf(MigrationEndedException.class);
            records.begin(ID);
        }
        preparation().prepare(RedisServers.spec("replace"));
        cleanup().cleanUp(RedisServers.spec("replace"), false, true);
        assertThat(portrait("target")).isEqualTo(targetBefore);
    }

    private void late(String id, Runnable meanwhile) {
        Endpoint endpoint = servers.endpoint(id);
        EdenUsers.loggedIn(ID, endpoint, records, login -> {
                    meanwhile.run();
                    return RespConnection.connect(endpoint, login, "late", Duration.ofSeconds(5));
                })
                .close();
    }

    @Test
    void theTargetIsFencedAndEdensUsersCanDoTheirWork() {
        RespConnection before = servers.connect("target");
        preparation().prepare(RedisServers.spec("replace"));
        preparation().prepare(RedisServers.spec("replace"));
        assertThat(before.ask("SET", "a", "1")).isInstanceOf(Reply.Error.class);
        before.close();
        try (RespConnection app = servers.connect("target", "app", "secret")) {
            assertThat(app.ask("GET", "a")).isInstanceOf(Reply.Error.class);
        }
        Endpoint target = servers.endpoint("target");
        Backend.Login login = records.login(ID, "target", EdenUsers.PROXY_LOGIN, EdenUsers.proxy(ID));
        try (RespConnection proxy = RespConnection.connect(target, login, "p", Duration.ofSeconds(5))) {
            proxy.call("HMGET", ReplicationLedger.appliedKey(ID), "offset");
            proxy.call("GET", "a");
            proxy.call("INFO", "replication");
            proxy.call("SCRIPT", "LOAD", "return 1");
            proxy.call("CLIENT", "UNBLOCK", "999999", "TIMEOUT");
            proxy.call("SELECT", "2");
            proxy.call("COMMAND", "COUNT");
            for (String[] command : new String[][] {
                {"SET", "a", "1"},
                {"DEL", "a"},
                {"FLUSHALL"},
                {"CONFIG", "GET", "*"},
                {"ACL", "LIST"},
                {"EVAL", "return redis.call('set','a',1)", "0"},
                {"PUBLISH", "c", "x"},
                {"KEYS", "*"}
            }) {
                assertThat(proxy.ask((Object[]) command)).as(command[0]).isInstanceOf(Reply.Error.class);
            }
            proxy.call("SUBSCRIBE", "c");
        }
        try (RespConnection source = servers.connect("source")) {
            assertThat(Long.parseLong(source.call("CONFIG", "GET", "repl-backlog-size")
                            .items()
                            .get(1)
                            .text()))
                    .isGreaterThanOrEqualTo(64L << 20);
        }
    }

    @Test
    void aCrashAtAnyWriteOfARecordIsResumedAndUndone() {
        String sourceBefore = portrait("source");
        String targetBefore = portrait("target");
        boolean crashed = true;
        int crashes = 0;
        for (int at = 1; crashed; at++) {
            crashed = crashes(
                    at,
                    crashing ->
                            new RedisPreparation(servers, crashing, _ -> routes).prepare(RedisServers.spec("replace")));
            if (crashed) {
                crashes++;
            }
            if (at % 2 == 0) {
                preparation().prepare(RedisServers.spec("replace"));
            }
            for (int undo = 1;
                    crashes(
                            undo,
                            crashing -> new RedisCleanup(servers, crashing)
                                    .cleanUp(RedisServers.spec("replace"), false, true));
                    undo++) {
                // one record further each time
            }
            assertThat(portrait("source")).as("crash at %d", at).isEqualTo(sourceBefore);
            assertThat(portrait("target")).as("crash at %d", at).isEqualTo(targetBefore);
            assertThat(records.isEmpty()).isTrue();
            records.begin(ID);
        }
        assertThat(crashes).isGreaterThan(10);
    }

    private interface Step {
        void run(CrashingRecords records);
    }

    private boolean crashes(int at, Step step) {
        try {
            step.run(new CrashingRecords(records, at));
            return false;
        } catch (CrashingRecords.Crash | CleanupIncomplete crash) {
            return true;
        }
    }

    @Test
    void aLatePreparationDoesNotFenceATargetThatOwnsWrites() {
        preparation().prepare(RedisServers.spec("replace"));
        try (RespConnection target = control("target")) {
            AclUsers.restore(target, new AclRecords(records, ID).unfenced("target"));
        }
        routes = Optional.of(
                new RouteLedger.Routes(ID, 2, RouteState.STABLE, 0, "target", "source", List.of("front"), null));
        preparation().prepare(RedisServers.spec("replace"));
        try (RespConnection application = servers.connect("target")) {
            application.call("SET", "a", "1");
        }
    }

    @Test
    void keysOfApplicationsAreNotTakenForEdens() {
        preparation().prepare(RedisServers.spec("replace"));
        try (RespConnection source = servers.connect("source")) {
            source.call("SET", "eden:project", "mine");
        }
        cleanup().cleanUp(RedisServers.spec("replace"), false, false);
        try (RespConnection source = servers.connect("source")) {
            assertThat(source.call("GET", "eden:project").text()).isEqualTo("mine");
        }
    }

    private RedisPreparation preparation() {
        return new RedisPreparation(servers, records, _ -> routes);
    }

    private RedisCleanup cleanup() {
        return new RedisCleanup(servers, records);
    }

    private RespConnection control(String id) {
        return EdenUsers.connect(ID, servers.endpoint(id), records, Duration.ofSeconds(5));
    }

    private String portrait(String id) {
        RespConnection own = servers.connect(id);
        if (own.ask("ACL", "WHOAMI").isError()) {
            own.close();
            own = control(id);
        }
        try (RespConnection connection = own) {
            return RedisServers.portrait(connection);
        }
    }

    private void markers(String id) {
        try (RespConnection connection = control(id)) {
            connection.call("HSET", ReplicationLedger.appliedKey(ID), "replid", "x", "offset", "1");
            connection.call("SELECT", "5");
            connection.call("SET", "eden:{" + ID + "}:probe", "1");
            connection.call("ACL", "SETUSER", "eden-apply-" + ID + "-7", "on", "nopass", "~*", "+@all");
        }
    }

    private void copySomething() {
        try (RespConnection connection = control("target")) {
            connection.call("MSET", "a", "1", "b", "2");
            connection.call("SCRIPT", "LOAD", "return 7");
            if (version.equals("7.0")) {
                connection.call(
                        "FUNCTION", "LOAD", "#!lua name=copied\nredis.register_function('g', function() return 2 end)");
            }
        }
    }
}
