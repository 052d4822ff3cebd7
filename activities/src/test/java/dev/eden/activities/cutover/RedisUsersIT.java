package dev.eden.activities.cutover;

import static dev.eden.activities.redis.preparation.RedisServers.MIGRATION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.AclUser;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.embedded.EmbeddedRedis;
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

    /** Redis 6.2 knows no keys that may only be read. */
    @Test
    void rulesThatTheNextOwnerRefusesAreNamedBeforeAnythingIsHeld() {
        differentVersions();
        admin("source", "SETUSER", "app", "on", ">pw", "~*", "+@all");
        prepare();
        flip("source", "target");
        control("target", "SETUSER", "picky", "on", ">pw", "%R~app:*", "+get");
        control("target", "SETUSER", "plain", "on", ">pw", "~*", "+get");
        control("target", "SETUSER", "app", "resetpass", ">second");
        try (CutoverEngine.Session session = open("target", "source")) {
            assertThatThrownBy(session::undo)
                    .hasMessageContaining("source")
                    .hasMessageContaining("picky")
                    .hasMessageContaining("%R~app:*");
        }
        assertThat(records.get(MIGRATION, "source", RedisUsers.FINAL_ACL).orElseThrow())
                .doesNotContain("picky");
        assertThat(names("source")).as("nothing to clean up").doesNotContain("plain", "picky");
        assertThat(fenced("source")).isTrue();
        assertThat(serves("target", "app", "second")).isTrue();

        control("target", "SETUSER", "picky", "resetkeys", "~app:*");
        flip("target", "source");
        assertThat(names("source")).contains("picky", "plain");
        assertThat(serves("source", "app", "second")).isTrue();
    }

    /** Another version was started on its place, say: clients of all others must not wait for one. */
    @Test
    void aUserWhoseRulesTheOwnerRefusesKeepsNobodyElseOut() {
        admin("source", "SETUSER", "app", "on", ">pw", "~*", "+@all");
        admin("source", "SETUSER", "odd", "on", ">pw", "~*", "+@all");
        prepare();
        String known = records.get(MIGRATION, "target", RedisUsers.FINAL_ACL).orElseThrow();
        records.put(
                MIGRATION,
                "target",
                RedisUsers.FINAL_ACL,
                known.replaceAll("(?m)^user odd .*$", "user odd on nopass ~* +nosuchcommand"));
        try (CutoverEngine.ActiveSide owner =
                engine.openActive(MIGRATION, "target", "source", CutoverEngine.Others.END)) {
            owner.unfence();
        }
        assertThat(serves("target", "app", "pw")).isTrue();
        assertThat(fencedUsers("target")).containsExactly("odd");
        assertThat(blockers("target", "source")).anyMatch(why -> why.contains("odd"));
        control("target", "SETUSER", "odd", "+@all");
        assertThat(blockers("target", "source")).noneMatch(why -> why.contains("odd"));
    }

    private void differentVersions() {
        servers.close();
        servers = RedisServers.of(
                EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withVersion("6.2")), EmbeddedRedis.start());
        engine = new RedisCutover(servers, records);
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

    private List<String> blockers(String from, String to) {
        try (CutoverEngine.Session session = open(from, to)) {
            return session.blockers(RedisServers.spec("replace"));
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

    private boolean fenced(String id) {
        try (RespConnection connection = connect(id)) {
            return AclUsers.fenced(connection);
        }
    }

    private List<String> fencedUsers(String id) {
        try (RespConnection connection = connect(id)) {
            return AclUsers.read(connection).stream()
                    .filter(AclUser::fenced)
                    .map(AclUser::name)
                    .toList();
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
