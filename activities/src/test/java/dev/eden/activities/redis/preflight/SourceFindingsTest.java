package dev.eden.activities.redis.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.redis.ServerInfo;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What servers say that are not among the embedded ones. */
class SourceFindingsTest {
    private static final String ID = "redis.hash.expiring_fields";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "db0:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\ndb3:keys=2,expires=0,avg_ttl=0,subexpiry=2\r\n",
                "db0:keys=2,expires=0,avg_ttl=0,keys_with_volatile_items=2\r\n"
            })
    void hashesWithFieldsThatExpireAreAFailure(String keyspace) {
        assertThat(of(keyspace)).filteredOn(Finding::id, ID).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo("failure");
            assertThat(finding.message()).contains("2 hashes");
        });
    }

    @Test
    void noneAreNone() {
        assertThat(of("db0:keys=1,expires=0,avg_ttl=0\r\n")).noneMatch(f -> f.id().equals(ID));
        assertThat(of("db0:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n")).noneMatch(f -> f.id().equals(ID));
    }

    private static final String MEMORY = "redis.source.memory";

    /** It could not take what is written on the target. */
    @Test
    void aFullSourceThatMakesNoRoomIsToldOf() {
        assertThat(of(memory(96, "noeviction"))).anyMatch(f -> f.id().equals(MEMORY));
        assertThat(of(memory(96, "volatile-lru"))).anyMatch(f -> f.id().equals(MEMORY));
        assertThat(of(memory(94, "noeviction"))).noneMatch(f -> f.id().equals(MEMORY));
        assertThat(of(memory(100, "allkeys-lru"))).noneMatch(f -> f.id().equals(MEMORY));
        assertThat(of(memory(100, "volatile-ttl") + "db1:keys=9,expires=3,avg_ttl=0\r\n"))
                .noneMatch(f -> f.id().equals(MEMORY));
        assertThat(of(memory(100, "volatile-lru") + "db0:keys=100,expires=10\r\n"))
                .noneMatch(f -> f.id().equals(MEMORY));
        assertThat(of(memory(100, "volatile-lru") + "db0:keys=100,expires=9\r\n"))
                .as("gone soon")
                .anyMatch(f -> f.id().equals(MEMORY));
    }

    @Test
    void aSourceThatEvictsIsToldOf() {
        assertThat(of(memory(10, "allkeys-lru")))
                .filteredOn(Finding::id, "redis.source.eviction")
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("a rollback is possible"));
        assertThat(of(memory(10, "noeviction"))).noneMatch(f -> f.id().equals("redis.source.eviction"));
        assertThat(of("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n"))
                .noneMatch(f -> f.id().equals("redis.source.eviction"));
    }

    private static String memory(int used, String policy) {
        return "used_memory:" + (used + 7) + "\r\nmem_not_counted_for_evict:7\r\nmaxmemory:100\r\nmaxmemory_policy:"
                + policy + "\r\n";
    }

    private static List<Finding> of(String keyspace) {
        Findings findings = new Findings();
        new SourceFindings(
                        new ServerView(
                                "source",
                                "source",
                                ServerInfo.parse("# Keyspace\r\n" + keyspace),
                                Map.of(),
                                Optional.empty(),
                                List.of(),
                                0,
                                0,
                                Map.of()),
                        findings)
                .check();
        return findings.list();
    }
}
