package dev.eden.activities.cutover;

import static dev.eden.activities.redis.preparation.RedisServers.MIGRATION;
import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What the fence asks of a server whose writes are paused. */
class RedisFenceIT {
    private static final Duration GUARD = Duration.ofSeconds(30);

    @Test
    void aSourceWhoseKeysHaveAllExpiredIsNotAskedForOneUnderThePause() {
        EmbeddedRedis.Options debug = EmbeddedRedis.Options.defaults().withConfig("enable-debug-command yes");
        InMemoryServerRecords records = new InMemoryServerRecords();
        try (RedisServers servers = RedisServers.of(EmbeddedRedis.start(debug), EmbeddedRedis.start());
                RespConnection source = servers.connect("source");
                RespConnection target = servers.connect("target")) {
            EdenUsers.create(source, MIGRATION, servers.endpoint("source"), records);
            EdenUsers.create(target, MIGRATION, servers.endpoint("target"), records);
            records.put(
                    MIGRATION, "target", "final:acl", AclSnapshot.take(target).encode());
            source.call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
            source.call("SET", "gone", "1", "PX", "60000");
            RedisCutover engine = new RedisCutover(servers, records);
            try (CutoverEngine.Session session = engine.open(MIGRATION, "source", "target", CutoverEngine.Others.END)) {
                session.undo();
                source.call("PEXPIRE", "gone", "1");
                session.fence(GUARD);
                assertThat(session.position().offset()).isNotNegative();
                assertThat(session.verify()).isEmpty();
                try (RespConnection other = servers.connect("source")) {
                    assertThat(other.call("PING").text()).isEqualTo("PONG");
                }
                session.unfence(CutoverEngine.Side.FROM);
                session.relax();
            }
        }
    }
}
