package dev.eden.activities.cutover;

import static dev.eden.activities.redis.preparation.RedisServers.MIGRATION;
import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.AclUser;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.preparation.RedisServers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whom a side knows when it takes over: forwards, back, and forwards again. */
class RedisUsersIT {
    private static final Duration GUARD = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final InMemoryServerRecords records = new InMemoryServerRecords();
    private RedisServers servers = RedisServers.start("7.0");
    private RedisCutover engine = new RedisCutover(servers, records);

    @AfterEach
    void stop() {
        servers.close();
    }

    @Test
    void usersThatTheTargetHadItselfAreNotGivenToTheSource() {
        admin("target", "SETUSER", "exporter", "on", ">own", "~*", "&*", "+@all");
        admin("source", "SETUSER", "app", "on", ">pw", "~*", "+@all");
        prepare();
        flip("source", "target");
        control("target", "SETUSER", "late", "on", ">pw", "~*", "+@all");
        flip("target", "source");
        assertThat(names("source")).contains("app", "late").doesNotContain("exporter");
        assertThat(records.get(MIGRATION, "source", RedisUsers.FINAL_ACL).orElseThrow())
                .contains("late")
                .doesNotContain("exporter");
        flip("source", "target");
        assertThat(serves("target", "exporter", "own")).isTrue();
        assertThat(serves("target", "late", "pw")).isTrue();
    }

    @Test
    void whoIsRevokedOnBothSidesStaysRevoked() {
        for (String name : List.of("app", "other")) {
            admin("source", "SETUSER", name, "on", ">pw", "~*", "+@all");
        }
        prepare();
        control("source", "DELUSER", "app", "other");
        control("target", "DELUSER", "app");
        flip("source", "target");
        assertThat(names("target")).contains("other").doesNotContain("app");
        flip("target", "source");
        assertThat(names("source")).contains("other").doesNotContain("app");
        control("source", "SETUSER", "app", "on", ">again", "~*", "+@all");
        flip("source", "target");
        assertThat(serves("target", "app", "again")).isTrue();
    }

    /** Both keep their users in memory only. */
    @Test
    void whatOneSideForgetsByARestartTheOtherKnows() {
        admin("source", "SETUSER", "app", "on", ">pw", "~*", "+@all");
        admin("target", "SETUSER", "exporter", "on", ">own", "~*", "+@all");
        prepare();
        servers.target.restart();
        assertThat(namesByOwnLogin("target")).containsExactly("default");
        flip("source", "target");
        assertThat(serves("target", "app", "pw")).isTrue();
        assertThat(serves("target", "exporter", "own")).isTrue();
        servers.target.restart();
        flip("target", "source");
        assertThat(serves("source", "app", "pw")).isTrue();
    }

    private void prepare() {
        new RedisPreparation(servers, records, _ -> Optional.empty()).prepare(RedisServers.spec("replace"));
    }

    private CutoverEngine.Session open(String from, String to) {
        return engine.open(MIGRATION, from, to, CutoverEngine.Others.END);
    }

    private void flip(String from, String to) {
        try (CutoverEngine.Session session = open(from, to)) {
            session.undo();
            session.fence(GUARD);
            session.unfence(CutoverEngine.Side.TO);
            session.relax();
        }
    }

    private void admin(String id, String... acl) {
        try (RespConnection connection = servers.connect(id)) {
            acl(connection, acl);
        }
    }

    private void control(String id, String... acl) {
        try (RespConnection connection = connect(id)) {
            acl(connection, acl);
        }
    }

    private static void acl(RespConnection connection, String... acl) {
        List<Object> command = new ArrayList<>(List.of("ACL"));
        command.addAll(List.of(acl));
        connection.call(command.toArray());
    }

    private RespConnection connect(String id) {
        return EdenUsers.connect(MIGRATION, servers.endpoint(id), records, TIMEOUT);
    }

    private List<String> names(String id) {
        try (RespConnection connection = connect(id)) {
            return AclUsers.read(connection).stream().map(AclUser::name).toList();
        }
    }

    private List<String> namesByOwnLogin(String id) {
        try (RespConnection connection = servers.connect(id)) {
            return AclUsers.read(connection).stream().map(AclUser::name).toList();
        }
    }

    private boolean serves(String id, String user, String password) {
        try (RespConnection connection = servers.connect(id, user, password)) {
            return !connection.ask("GET", "k").isError();
        } catch (RedisException refused) {
            return false;
        }
    }
}
