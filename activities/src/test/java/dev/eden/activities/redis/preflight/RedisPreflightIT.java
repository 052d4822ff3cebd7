package dev.eden.activities.redis.preflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.LinkTls;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.FreePort;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedisPreflightIT {
    private final EmbeddedRedis source = EmbeddedRedis.start();
    private EmbeddedRedis target = source;

    @AfterEach
    void stop() {
        source.close();
        target.close();
    }

    @Test
    void aHealthyPairHasNoFailureAndIsLeftAsItWas() {
        Preflight result = run("7.0", "fail", "appendonly yes");
        assertThat(ids(result, "failure")).isEmpty();
        assertThat(ids(result, "info")).contains("redis.version", "redis.mechanism", "redis.scripts");
        assertThat(ids(result, "warning")).containsOnly("redis.acl.not_persistent");
        RedisServers servers = servers();
        try (RespConnection onSource = servers.connect("source");
                RespConnection onTarget = servers.connect("target")) {
            String sourceBefore = RedisServers.portrait(onSource);
            String targetBefore = RedisServers.portrait(onTarget);
            new RedisPreflight(servers).preflight(RedisServers.spec("fail"));
            assertThat(RedisServers.portrait(onSource)).isEqualTo(sourceBefore);
            assertThat(RedisServers.portrait(onTarget)).isEqualTo(targetBefore);
            assertThat(onSource.call("ACL", "LOG").items()).isEmpty();
            assertThat(onTarget.call("ACL", "LOG").items()).isEmpty();
        }
    }

    @Test
    void anOlderTargetCannotReadTheSource() {
        Preflight result = run("6.2", "fail");
        assertThat(ids(result, "failure")).containsExactly("redis.version.target_older");
    }

    @Test
    void anOlderSourceIsFine() {
        EmbeddedRedis old = EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withVersion("6.2"));
        target = old;
        Preflight result = new RedisPreflight(RedisServers.of(old, source)).preflight(RedisServers.spec("fail"));
        assertThat(ids(result, "failure")).isEmpty();
        assertThat(ids(result, "warning")).contains("redis.version.way_back");
    }

    @Test
    void theSameServerIsRefused() {
        Preflight result = new RedisPreflight(servers()).preflight(RedisServers.spec("fail"));
        assertThat(ids(result, "failure")).containsExactly("redis.server.same");
    }

    @Test
    void aServerThatIsAwayIsAFinding() {
        target = EmbeddedRedis.start();
        target.stop();
        Preflight result = new RedisPreflight(servers()).preflight(RedisServers.spec("fail"));
        assertThat(ids(result, "failure")).containsExactly("redis.endpoint.unreachable");
        assertThatThrownBy(() -> new RedisCheck().check(servers().endpoint("target")))
                .isInstanceOf(RedisConnectionException.class)
                .hasMessage("endpoint target can't be reached: Connection refused")
                .hasNoCause();
    }

    @Test
    void aRefusalRepeatsNoArguments() {
        target = EmbeddedRedis.start();
        try (RespConnection connection =
                RespConnection.connect(servers().endpoint("target"), "test", Duration.ofSeconds(5))) {
            assertThatThrownBy(() -> connection.call("NOSUCH", "a-key", "a-value"))
                    .hasMessageContaining("unknown command")
                    .hasMessageNotContaining("a-");
        }
    }

    @Test
    void aTargetThatIsNotEmptyDependsOnReplace() {
        target = EmbeddedRedis.start();
        command("target", "MSET", "a", "1", "b", "2");
        assertThat(ids(preflight("fail"), "failure")).containsExactly("redis.target.not_empty");
        Preflight replace = preflight("replace");
        assertThat(ids(replace, "failure")).isEmpty();
        assertThat(replace.findings())
                .anySatisfy(finding -> assertThat(finding.message()).contains("2 keys; all of them are deleted"));
        assertThat(ids(preflight("skip"), "warning")).contains("redis.target.kept");
    }

    @Test
    void memoryPolicyAndSizeOfTheTargetCount() {
        Preflight result = run("7.0", "fail", "maxmemory 900000", "maxmemory-policy allkeys-lru");
        assertThat(ids(result, "failure")).containsExactlyInAnyOrder("redis.target.eviction", "redis.target.memory");
        command("target", "CONFIG", "SET", "maxmemory", "0");
        assertThat(ids(preflight("fail"), "failure")).isEmpty();
    }

    @Test
    void replicasClusterAndDatabasesAreRefused() {
        target = EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withConfig("databases 4"));
        command("source", "SELECT", "9");
        try (RespConnection connection = servers().connect("source")) {
            connection.call("SELECT", "9");
            connection.call("SET", "k", "v");
        }
        Preflight result = preflight("fail");
        assertThat(ids(result, "failure")).containsExactly("redis.databases");
        assertThat(ids(result, "warning")).contains("redis.databases.fewer");
        command("target", "REPLICAOF", "127.0.0.1", Integer.toString(source.port()));
        assertThat(ids(preflight("replace"), "failure")).contains("redis.role.not_master");
        target.close();
        target = EmbeddedRedis.start(
                EmbeddedRedis.Options.defaults().withConfig("cluster-enabled yes", "cluster-port " + FreePort.find()));
        assertThat(ids(preflight("replace"), "failure")).contains("redis.cluster.unsupported");
    }

    /** After the cutover the target's databases are the application's, and the source has to follow. */
    @Test
    void aSourceWithFewerDatabasesEndsTheWayBack() {
        EmbeddedRedis fewer =
                EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withConfig("databases 4"));
        target = fewer;
        Preflight result = new RedisPreflight(RedisServers.of(fewer, source)).preflight(RedisServers.spec("fail"));
        assertThat(ids(result, "failure")).isEmpty();
        assertThat(ids(result, "warning")).contains("redis.databases.fewer");
    }

    @Test
    void rightsOfTheLoginAreFoundOutWithoutUsingThem() {
        for (String version : List.of("7.0", "6.2")) {
            EmbeddedRedis server = EmbeddedRedis.start(EmbeddedRedis.Options.defaults()
                    .withVersion(version)
                    .withConfig("user small on >p ~* &* +@all -psync -config "
                            + (version.equals("7.0") ? "-acl|setuser" : "-acl")));
            try (server) {
                Endpoint endpoint = new Endpoint(
                        "e", "redis", server.host(), server.port(), false, new Backend.Login("small", new Secret("p")));
                RedisCheck.Checked checked = new RedisCheck().check(endpoint);
                assertThat(checked.version()).startsWith(version);
                assertThat(checked.role()).isEqualTo("master");
                assertThat(checked.latencyMs()).isBetween(0.0, 1_000.0);
                assertThat(checked.abilities())
                        .containsAllEntriesOf(Map.of("acl", false, "psync", false, "config", false, "pause", true));
                Preflight result = new RedisPreflight(_ -> endpoint).preflight(RedisServers.spec("fail"));
                assertThat(ids(result, "failure"))
                        .contains("redis.acl.forbidden", "redis.psync.forbidden", "redis.server.same");
                assertThat(ids(result, "warning")).contains("redis.config.forbidden");
                RedisCheck.Checked all =
                        new RedisCheck().check(new Endpoint("e", "redis", server.host(), server.port(), false, null));
                assertThat(all.abilities()).containsAllEntriesOf(Map.of("acl", true, "psync", true, "pause", true));
            }
        }
    }

    @Test
    void aRenamedPsyncIsSaid() {
        target = EmbeddedRedis.start(
                EmbeddedRedis.Options.defaults().withConfig("rename-command PSYNC \"\"", "rename-command ACL \"\""));
        assertThat(ids(preflight("fail"), "failure"))
                .containsExactlyInAnyOrder("redis.target.psync_unavailable", "redis.acl.forbidden");
        Preflight swapped = new RedisPreflight(RedisServers.of(target, source)).preflight(RedisServers.spec("fail"));
        assertThat(ids(swapped, "failure")).contains("redis.psync.unavailable");
    }

    @Test
    void largeValuesAndReservedNamesAreMet() {
        target = EmbeddedRedis.start();
        command("source", "SETRANGE", "large", "2000000", "x");
        command("source", "SET", "eden:{mine", "x");
        Preflight result = new RedisPreflight(servers(), 1_000_000).preflight(RedisServers.spec("fail"));
        assertThat(ids(result, "failure")).containsExactlyInAnyOrder("redis.value.too_large", "redis.keys.reserved");
        assertThat(ids(preflight("fail"), "failure")).containsExactly("redis.keys.reserved");
    }

    @Test
    void usersOfBothSidesAreCompared() {
        target = EmbeddedRedis.start();
        command("source", "ACL", "SETUSER", "app", "on", ">p", "+get");
        command("source", "ACL", "SETUSER", "both", "on", ">p", "+get");
        command("target", "ACL", "SETUSER", "both", "on", ">q", "+get");
        command("target", "ACL", "SETUSER", "default", "-flushall");
        Preflight result = preflight("fail");
        assertThat(ids(result, "info")).contains("redis.acl.copied");
        assertThat(ids(result, "warning")).contains("redis.acl.users_differ", "redis.acl.default_differs");
        assertThat(result.findings()).noneMatch(finding -> finding.message().contains("#"));
    }

    @Test
    void aRestrictedDefaultUserWouldLoseTransactionsOfTheAppendOnlyFile() {
        target = EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withConfig("appendonly yes"));
        assertThat(ids(preflight("fail"), "failure")).isEmpty();
        command("target", "ACL", "SETUSER", "default", "-flushall");
        assertThat(ids(preflight("fail"), "failure")).containsExactly("redis.aof.default_user");
        command("target", "ACL", "SETUSER", "admin", "on", ">p", "+@all", "~*", "&*");
        command("target", "ACL", "SETUSER", "default", "off", "+@all", "~*", "&*");
        Endpoint byName = new Endpoint(
                "target",
                "redis",
                target.host(),
                target.port(),
                false,
                new Backend.Login("admin", new Secret("p")),
                null,
                false,
                new LinkTls.OfSystem());
        Preflight named = new RedisPreflight(
                        id -> id.equals("source") ? servers().endpoint(id) : byName)
                .preflight(RedisServers.spec("fail"));
        assertThat(ids(named, "info")).contains("redis.version");
        assertThat(ids(named, "failure")).doesNotContain("redis.aof.default_user");
    }

    @Test
    void clientsThatNeverLogInAreThoughtOf() {
        target = EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withConfig("requirepass p"));
        assertThat(ids(withClientLogin(false), "warning")).contains("redis.client_login.target_protected");
        assertThat(ids(withClientLogin(true), "info")).contains("redis.client_login.endpoint");
        assertThat(ids(withClientLogin(true), "failure")).isEmpty();
        command("source", "ACL", "SETUSER", "default", "resetpass", ">q");
        Preflight escalating = new RedisPreflight(
                        id -> id.equals("source") ? endpoint(source, "q", false) : endpoint(target, "p", true))
                .preflight(RedisServers.spec("fail"));
        assertThat(ids(escalating, "failure")).containsExactly("redis.client_login.source_protected");
    }

    private Preflight withClientLogin(boolean wanted) {
        return new RedisPreflight(id -> id.equals("source") ? servers().endpoint(id) : endpoint(target, "p", wanted))
                .preflight(RedisServers.spec("fail"));
    }

    private static Endpoint endpoint(EmbeddedRedis server, String password, boolean loginForClients) {
        return new Endpoint(
                "e" + server.port(),
                "redis",
                server.host(),
                server.port(),
                false,
                new Backend.Login("default", new Secret(password)),
                null,
                loginForClients,
                new LinkTls.OfSystem());
    }

    @ParameterizedTest
    @CsvSource({"scan, dirty_keys", "none, auto"})
    void aMechanismThatDoesNotExistIsRefused(String type, String mechanism) {
        target = EmbeddedRedis.start();
        MigrationSpec spec = RedisServers.spec("fail");
        MigrationSpec dirty = new MigrationSpec(
                spec.id(),
                "",
                spec.engine(),
                spec.source(),
                spec.target(),
                spec.interlays(),
                spec.strategy(),
                new MigrationSpec.Data(type, mechanism, "fail"),
                spec.gates(),
                spec.failureHandling(),
                spec.budget(),
                null);
        assertThat(ids(new RedisPreflight(servers()).preflight(dirty), "failure"))
                .containsExactly("redis.mechanism.unavailable");
    }

    private Preflight run(String targetVersion, String replace, String... targetConfig) {
        target = EmbeddedRedis.start(
                EmbeddedRedis.Options.defaults().withVersion(targetVersion).withConfig(targetConfig));
        return preflight(replace);
    }

    private Preflight preflight(String replace) {
        return new RedisPreflight(servers()).preflight(RedisServers.spec(replace));
    }

    private RedisServers servers() {
        return RedisServers.of(source, target);
    }

    private void command(String id, Object... command) {
        try (RespConnection connection = servers().connect(id)) {
            connection.call(command);
        }
    }

    private static List<String> ids(Preflight preflight, String severity) {
        return preflight.findings().stream()
                .filter(finding -> finding.severity().equals(severity))
                .map(Finding::id)
                .distinct()
                .toList();
    }
}
