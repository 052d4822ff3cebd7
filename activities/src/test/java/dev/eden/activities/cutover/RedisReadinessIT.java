package dev.eden.activities.cutover;

import static dev.eden.activities.redis.preparation.RedisServers.MIGRATION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.MemoryLimit;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.preparation.RedisServers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Memory, and what a server does where it has none left: forwards, and on the way back. */
class RedisReadinessIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final InMemoryServerRecords records = new InMemoryServerRecords();
    private final RedisServers servers = RedisServers.start("7.0");
    private final RedisCutover engine = new RedisCutover(servers, records);

    @BeforeEach
    void prepare() {
        new RedisPreparation(servers, records, _ -> Optional.empty()).prepare(RedisServers.spec("replace"));
    }

    @AfterEach
    void stop() {
        servers.close();
    }

    /** A cache is always full, and that is no reason to keep it from being taken back. */
    @Test
    void aFullCacheCanBeTakenBack() {
        fill("source", "allkeys-lru");
        assertThat(blockers("source", "target")).isEmpty();
        flip("source", "target");
        assertThat(blockers("target", "source")).isEmpty();
        await().atMost(PATIENCE).until(() -> evictsOneMore("source"));
        assertThat(blockers("target", "source")).isEmpty();
        kept("target");
        assertThat(flip("target", "source")).isEmpty();
        // The target has what was evicted: it may not come back.
        assertThat(blockers("source", "target")).singleElement().asString().contains("has evicted keys");
    }

    /** What it has evicted meanwhile nobody can tell then. */
    @Test
    void aCacheWhoseCountBeganAnewMayHaveEvicted() {
        fill("source", "allkeys-lru");
        flip("source", "target");
        control("source", "maxmemory", "1gb");
        try (RespConnection source = connect("source")) {
            source.call("CONFIG", "RESETSTAT");
        }
        kept("target");
        flip("target", "source");
        assertThat(blockers("source", "target")).singleElement().asString().contains("has evicted keys");
    }

    @Test
    void aCacheThatHasRoomCanBeLeftAgain() {
        control("source", "maxmemory", "1gb");
        control("source", "maxmemory-policy", "allkeys-lru");
        flip("source", "target");
        kept("target");
        assertThat(flip("target", "source")).singleElement().asString().contains("sampled keys differ");
        assertThat(blockers("source", "target")).isEmpty();
    }

    /** It would take over without what it has evicted, and a sample shows that of a cache only. */
    @Test
    void aTargetThatHasEvictedAsStandbyDoesNotTakeOverAgain() {
        flip("source", "target");
        flip("target", "source");
        assertThat(blockers("source", "target")).isEmpty();
        fill("target", "allkeys-lru");
        try (CutoverEngine.Session session = open("source", "target")) {
            session.blockers(RedisServers.spec("replace"));
            assertThatThrownBy(session::undo).hasMessageContaining("target has evicted keys while it was the standby");
        }
        control("target", "maxmemory-policy", "noeviction");
        control("target", "maxmemory", "1gb");
        assertThat(blockers("source", "target"))
                .singleElement()
                .asString()
                .contains("target has evicted keys while it was the standby");
    }

    /** Told while it costs nothing: afterwards it is the way back that is gone. */
    @Test
    void aFullSourceThatDoesNotEvictIsNotLeft() {
        fill("source", "allkeys-lru");
        control("source", "maxmemory-policy", "noeviction");
        assertThat(blockers("source", "target")).singleElement().asString().contains("the way back", "maxmemory");
        control("source", "maxmemory", "1gb");
        assertThat(blockers("source", "target")).isEmpty();
    }

    /** Nothing in it has an expiry, so it finds nothing to evict. */
    @Test
    void aFullSourceThatFindsNothingToEvictIsNotLeft() {
        fill("source", "allkeys-lru");
        control("source", "maxmemory-policy", "volatile-lru");
        assertThat(blockers("source", "target")).singleElement().asString().contains("the way back");
        // Above the limit it would be evicted at once.
        control("source", "maxmemory", Long.toString(used("source") * 103 / 100));
        assertThat(blockers("source", "target")).singleElement().asString().contains("the way back");
        try (RespConnection source = connect("source")) {
            source.call("PEXPIRE", source.call("RANDOMKEY").bytes(), 1_000_000);
        }
        // It would soon be gone, and nothing left to evict.
        assertThat(blockers("source", "target")).singleElement().asString().contains("the way back");
        try (RespConnection source = connect("source")) {
            source.call("KEYS", "filling*").items().forEach(key -> source.call("PEXPIRE", key.bytes(), 1_000_000));
        }
        assertThat(blockers("source", "target")).isEmpty();
    }

    @Test
    void aSourceThatRefusesWritesIsNotTakenBack() {
        flip("source", "target");
        control("source", "maxmemory", "1000000000");
        assertThat(blockers("target", "source")).isEmpty();
        // Little room is no reason any more, none is.
        control("source", "maxmemory", Long.toString(used("source") * 104 / 100));
        assertThat(blockers("target", "source")).isEmpty();
        control("source", "maxmemory", "100000");
        assertThat(blockers("target", "source")).singleElement().asString().contains("refuses writes");
    }

    @Test
    void aTargetThatEvictsIsNoTarget() {
        control("target", "maxmemory", "1gb");
        control("target", "maxmemory-policy", "allkeys-lru");
        assertThat(blockers("source", "target")).singleElement().asString().contains("target evicts keys");
        control("target", "maxmemory-policy", "noeviction");
        control("target", "maxmemory", Long.toString(used("target") * 101 / 100));
        assertThat(blockers("source", "target")).singleElement().asString().contains("target has less than 5 %");
    }

    /** Until it is evicting. */
    private void fill(String id, String policy) {
        try (RespConnection server = connect(id)) {
            server.call("CONFIG", "SET", "maxmemory-policy", policy);
            server.call("CONFIG", "SET", "maxmemory", used(id) + 8_000_000);
        }
        await().atMost(PATIENCE).until(() -> evictsOneMore(id));
        await().atMost(PATIENCE).untilAsserted(() -> {
            try (RespConnection server = connect(id)) {
                server.call("SET", "another " + System.nanoTime(), "x".repeat(10_000));
                assertThat(new MemoryLimit(ServerInfo.read(server, "all")).scarce())
                        .isTrue();
            }
        });
    }

    private boolean evictsOneMore(String id) {
        try (RespConnection server = connect(id)) {
            long before = ServerInfo.read(server, "stats").number("evicted_keys");
            for (int i = 0; i < 100; i++) {
                server.call("SET", "filling " + System.nanoTime(), "x".repeat(10_000));
            }
            return ServerInfo.read(server, "stats").number("evicted_keys") > before;
        }
    }

    private long used(String id) {
        try (RespConnection server = connect(id)) {
            return ServerInfo.read(server, "memory").number("used_memory");
        }
    }

    private void control(String id, String setting, String value) {
        try (RespConnection server = connect(id)) {
            server.call("CONFIG", "SET", setting, value);
        }
    }

    private List<String> blockers(String from, String to) {
        try (CutoverEngine.Session session = open(from, to)) {
            return session.blockers(RedisServers.spec("replace"));
        }
    }

    /** Keys that the other side lacks. */
    private void kept(String id) {
        try (RespConnection server = connect(id)) {
            for (int i = 0; i < 100; i++) {
                server.call("SET", "kept " + i, i);
            }
        }
    }

    /** What is different behind the fence. */
    private List<String> flip(String from, String to) {
        try (CutoverEngine.Session session = open(from, to)) {
            session.blockers(RedisServers.spec("replace"));
            session.undo();
            session.fence(PATIENCE);
            List<String> different = session.verify();
            session.unfence(CutoverEngine.Side.TO);
            session.relax();
            return different;
        }
    }

    private CutoverEngine.Session open(String from, String to) {
        return engine.open(MIGRATION, from, to, CutoverEngine.Others.END);
    }

    private RespConnection connect(String id) {
        return EdenUsers.connect(MIGRATION, servers.endpoint(id), records, TIMEOUT);
    }
}
