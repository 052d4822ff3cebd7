package dev.eden.activities.redis.acl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass
@ValueSource(strings = {"7.0", "6.2"})
class AclUsersIT {
    private final String version;
    private final RedisServers servers;
    private final RespConnection eden;

    AclUsersIT(String version) {
        this.version = version;
        servers = RedisServers.start(version);
        try (RespConnection admin = servers.connect("source")) {
            admin.call("ACL", "SETUSER", "eden-control-m-1", "on", ">secret", "~*", "&*", "+@all");
        }
        eden = servers.connect("source", "eden-control-m-1", "secret");
    }

    @AfterEach
    void stop() {
        eden.close();
        servers.close();
    }

    @Test
    void anOpenConnectionIsRefusedWhileFencedAndServedAfterwards() {
        try (RespConnection application = servers.connect("source")) {
            application.call("SET", "a", "1");
            AclSnapshot snapshot = AclSnapshot.take(eden);
            AclUsers.fence(eden, snapshot);
            assertThat(AclUsers.fenced(eden)).isTrue();
            for (List<String> command : forbidden().toList()) {
                assertThat(refusal(application, command)).as(command.toString()).isEqualTo("NOPERM");
            }
            assertThat(application.call("PING").text()).isEqualTo("PONG");
            application.call("SELECT", "1");
            application.call("CLIENT", "SETNAME", "still-here");
            application.call("SELECT", "0");
            AclUsers.restore(eden, snapshot);
            assertThat(application.call("GET", "a").text()).isEqualTo("1");
            assertThat(AclUsers.unfencedUsers(eden)).containsExactly("default");
        }
    }

    /** Redis loads its append-only file as the user default, and checks a transaction's commands at EXEC. */
    @Test
    void aFenceThatOutlivesARestartLeavesTheServersOwnTransactionsAlone() {
        try (EmbeddedRedis server = EmbeddedRedis.start(EmbeddedRedis.Options.defaults()
                .withVersion(version)
                .withConfig("appendonly yes", "appendfsync always", "aclfile users.acl"))) {
            RedisServers pair = RedisServers.of(server, server);
            try (RespConnection admin = pair.connect("source")) {
                admin.call("ACL", "SETUSER", "eden-control-m-1", "on", ">secret", "~*", "&*", "+@all");
                admin.call("ACL", "SETUSER", "application", "on", ">pw", "~*", "+@all");
            }
            AclSnapshot before;
            try (RespConnection control = pair.connect("source", "eden-control-m-1", "secret");
                    RespConnection open = pair.connect("source")) {
                before = AclSnapshot.take(control);
                AclUsers.fence(control, before);
                control.call("MULTI");
                control.call("SET", "in a transaction", "kept");
                control.call("INCR", "counter");
                control.call("EXEC");
                assertThat(AclUsers.persistFence(control, before)).isTrue();
                assertThat(AclUsers.fenced(control)).isTrue();
                assertThat(refusal(open, List.of("GET", "counter"))).isEqualTo("NOPERM");
            }
            server.kill();
            server.restart();
            try (RespConnection control = pair.connect("source", "eden-control-m-1", "secret")) {
                assertThat(control.call("GET", "in a transaction").text()).isEqualTo("kept");
                assertThat(control.call("GET", "counter").text()).isEqualTo("1");
                assertThat(AclUsers.fenced(control)).isTrue();
                try (RespConnection stranger = pair.connect("source", "application", "pw")) {
                    assertThat(refusal(stranger, List.of("GET", "counter"))).isEqualTo("NOPERM");
                }
                assertThatThrownBy(() -> {
                            try (RespConnection nobody = pair.connect("source")) {
                                nobody.call("GET", "counter");
                            }
                        })
                        .hasMessageContaining("NOAUTH");
                AclUsers.restoreFenced(control, before);
                assertThat(AclUsers.unfencedUsers(control)).containsExactlyInAnyOrder("default", "application");
                AclUsers.persist(control);
            }
            server.kill();
            server.restart();
            try (RespConnection application = pair.connect("source")) {
                assertThat(application.call("GET", "counter").text()).isEqualTo("1");
            }
        }
    }

    private Stream<List<String>> forbidden() {
        Stream<List<String>> common = Stream.of(
                List.of("GET", "a"),
                List.of("SET", "a", "2"),
                List.of("EVAL", "return redis.call('set','a','3')", "1", "a"),
                List.of("SCRIPT", "LOAD", "return 1"),
                List.of("ACL", "SETUSER", "default", "+@all"),
                List.of("ACL", "WHOAMI"),
                List.of("CONFIG", "GET", "*"),
                List.of("CLIENT", "KILL", "ID", "1"),
                List.of("CLIENT", "UNPAUSE"),
                List.of("CLIENT", "LIST"),
                List.of("MODULE", "LIST"),
                List.of("MULTI"),
                List.of("WATCH", "a"),
                List.of("PUBLISH", "c", "x"),
                List.of("SUBSCRIBE", "c"),
                List.of("SYNC"),
                List.of("FLUSHALL"),
                List.of("REPLICAOF", "NO", "ONE"));
        return version.equals("7.0")
                ? Stream.concat(
                        common,
                        Stream.of(
                                List.of("FUNCTION", "LIST"),
                                List.of("FCALL", "f", "0"),
                                List.of("EVAL_RO", "return 1", "0")))
                : common;
    }

    @Test
    void restoringIsExactAndIdempotentForEveryKindOfUser() {
        eden.call(
                "ACL",
                "SETUSER",
                "hashed",
                "on",
                ">one",
                ">two",
                "~app:*",
                "resetchannels",
                "&ch*",
                "+@all",
                "-@dangerous");
        eden.call(
                "ACL",
                "SETUSER",
                "off",
                "off",
                "nopass",
                "~*",
                "resetchannels",
                "&a*",
                "&b*",
                "+@read",
                "+@write",
                "-keys");
        eden.call(
                "ACL",
                "SETUSER",
                "skipping",
                "on",
                "nopass",
                "skip-sanitize-payload",
                "~*",
                "allchannels",
                "+@all",
                "-eval");
        eden.call(
                "ACL",
                "SETUSER",
                "sub",
                "on",
                "nopass",
                "~a",
                "~b",
                "-@all",
                "+client",
                "+config|get",
                "+@set",
                "-sadd");
        eden.call("ACL", "SETUSER", "binary", "on", "nopass", new byte[] {'~', (byte) 0xff, (byte) 0x80, '*'}, "+get");
        eden.call("ACL", "SETUSER", "nothing");
        eden.call("ACL", "SETUSER", "reset", "reset", "on", "nopass", "~*", "+get");
        if (version.equals("7.0")) {
            eden.call(
                    "ACL",
                    "SETUSER",
                    "selecting",
                    "on",
                    "nopass",
                    "%R~ro:*",
                    "+get",
                    "(~sel* +set)",
                    "(%W~w* &x +@write)");
        }
        String before = eden.call("ACL", "LIST").items().stream()
                .map(Reply::text)
                .toList()
                .toString();
        AclSnapshot snapshot = AclSnapshot.decode(AclSnapshot.take(eden).encode());
        AclUsers.fence(eden, snapshot);
        AclUsers.fence(eden, snapshot);
        assertThat(AclUsers.unfencedUsers(eden)).isEmpty();
        AclUsers.restore(eden, snapshot);
        AclUsers.restore(eden, snapshot);
        assertThat(eden.call("ACL", "LIST").items().stream()
                        .map(Reply::text)
                        .toList()
                        .toString())
                .isEqualTo(before);
        AclUsers.fence(eden, snapshot);
        AclUsers.restoreFenced(eden, snapshot);
        assertThat(eden.call("ACL", "LIST").items().stream()
                        .map(Reply::text)
                        .toList()
                        .toString())
                .isEqualTo(before);
    }

    @Test
    void selectorsDoNotLeakThroughTheFence() {
        org.junit.jupiter.api.Assumptions.assumeTrue(version.equals("7.0"));
        eden.call("ACL", "SETUSER", "selecting", "on", ">p", "-@all", "+ping", "+client|setname", "(~* +set +get)");
        try (RespConnection application = servers.connect("source", "selecting", "p")) {
            application.call("SET", "a", "1");
            AclSnapshot snapshot = AclSnapshot.take(eden);
            AclUsers.fence(eden, snapshot);
            assertThat(refusal(application, List.of("SET", "a", "2"))).isEqualTo("NOPERM");
            AclUsers.restore(eden, snapshot);
            application.call("SET", "a", "3");
        }
    }

    @Test
    void aQueuedTransactionDoesNotRunBehindTheFence() {
        try (RespConnection application = servers.connect("source")) {
            application.call("MULTI");
            application.call("SET", "queued", "1");
            AclSnapshot snapshot = AclSnapshot.take(eden);
            AclUsers.fence(eden, snapshot);
            assertThat(application.ask("EXEC").isError()).isTrue();
            assertThat(eden.call("EXISTS", "queued").number()).isZero();
        }
    }

    @Test
    void aBlockedClientIsEndedAndAPausedOneIsNot() throws InterruptedException {
        try (RespConnection blocked = servers.connect("source");
                RespConnection paused = servers.connect("source");
                RespConnection own = servers.connect("source", "eden-control-m-1", "secret")) {
            long pausedId = paused.clientId();
            blocked.send("BLPOP", "list", "0");
            blocked.flush();
            own.send("BLPOP", "other", "0");
            own.flush();
            awaitFlag("blpop", 2);
            eden.call("CLIENT", "PAUSE", "60000", "WRITE");
            paused.send("SET", "late", "1");
            paused.flush();
            awaitFlag("set", 1);
            AclSnapshot snapshot = AclSnapshot.take(eden);
            AclUsers.fence(eden, snapshot);
            assertThatThrownBy(blocked::read).isInstanceOf(RedisConnectionException.class);
            assertThat(eden.call("CLIENT", "LIST").text()).contains("id=" + pausedId + " ");
            eden.call("CLIENT", "UNPAUSE");
            assertThat(paused.read())
                    .isInstanceOfSatisfying(
                            Reply.Error.class, e -> assertThat(e.code()).isEqualTo("NOPERM"));
            assertThat(eden.call("EXISTS", "late").number()).isZero();
            eden.call("RPUSH", "other", "x");
            assertThat(own.read().items()).hasSize(2);
        }
    }

    private void awaitFlag(String command, int count) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(5))
                .until(() -> eden.call("CLIENT", "LIST")
                                .text()
                                .lines()
                                .filter(line -> line.contains("cmd=" + command + " ") && line.contains("flags=b"))
                                .count()
                        == count);
    }

    @Test
    void aUserThatTheSnapshotLacksIsReportedAndNotTouched() {
        AclSnapshot snapshot = AclSnapshot.take(eden);
        eden.call("ACL", "SETUSER", "newcomer", "on", "nopass", "~*", "+@all");
        assertThatThrownBy(() -> AclUsers.fence(eden, snapshot))
                .isInstanceOf(RedisException.class)
                .hasMessageContaining("newcomer");
        assertThat(AclUsers.unfencedUsers(eden)).containsExactly("newcomer");
        AclUsers.fence(eden, AclSnapshot.take(eden));
        assertThat(AclUsers.fenced(eden)).isTrue();
    }

    @Test
    void usersMadeByEdenGoAndChangesMadeMeanwhileStay() {
        AclSnapshot snapshot = AclSnapshot.take(eden).withCreated(List.of("copied"));
        AclUsers.createFenced(eden, AclUser.parse("user copied on nopass ~* &* +@all"), snapshot.selectors());
        assertThat(AclUsers.read(eden).stream()
                        .filter(u -> u.name().equals("copied"))
                        .toList())
                .singleElement()
                .satisfies(user -> assertThat(user.fenced()).isTrue());
        eden.call("ACL", "SETUSER", "default", "-flushall");
        AclUsers.restoreFenced(eden, snapshot);
        assertThat(AclUsers.read(eden)).noneMatch(user -> user.name().equals("copied"));
        assertThat(AclUsers.read(eden))
                .anySatisfy(user -> assertThat(user.rules()).contains("-flushall"));
        AclUsers.restore(eden, snapshot);
        assertThat(AclUsers.read(eden))
                .noneSatisfy(user -> assertThat(user.rules()).contains("-flushall"));
    }

    private static String refusal(RespConnection connection, List<String> command) {
        return connection.ask(command.toArray()) instanceof Reply.Error error ? error.code() : "served";
    }
}
