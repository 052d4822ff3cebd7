package dev.eden.activities.redis.validation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.activities.store.ValidationLedger.Check;
import dev.eden.activities.store.ValidationLedger.Difference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RedisValidationIT {
    private final ReplicatedPair pair = new ReplicatedPair("7.0");

    @AfterEach
    void stop() {
        pair.close();
    }

    @Test
    void aHealthyPairUnderHeavyWritesHasNoDifference() {
        fill(20_000);
        try (HotWriters writers = new HotWriters(pair.servers, 4, 50, 5_000)) {
            pair.replicate();
            for (int round = 0; round < 5; round++) {
                ValidationLedger.Report report = pair.validate(true);
                assertThat(report.sample()).isEmpty();
                assertThat(report.differencesFound()).isZero();
                assertThat(report.remaining()).isZero();
                assertThat(report.keysCompared()).isGreaterThan(20_000);
            }
            assertThat(writers.done.get()).isGreaterThan(5_000);
        }
    }

    @Test
    void exactlyTheDamagedKeysAreFoundAndRepairedUnderHeavyWrites() {
        fill(5_000);
        try (HotWriters writers = new HotWriters(pair.servers, 4, 50, 5_000)) {
            pair.replicate();
            Map<String, String> expected = damage(10);
            ValidationLedger.Report report = pair.validate(true);
            assertThat(report.sample()).noneSatisfy(d -> assertThat(d.key()).startsWith("hot"));
            assertThat(kinds(report)).containsExactlyInAnyOrderEntriesOf(expected);
            assertThat(report.differencesFound()).isEqualTo(expected.size());
            assertThat(report.repaired()).isEqualTo(expected.size());
            assertThat(report.remaining()).isZero();
            assertThat(report.sample()).allMatch(Difference::repaired);
            ValidationLedger.Report again = pair.validate(false);
            assertThat(again.sample()).isEmpty();
            assertThat(pair.reports.latest(RedisServers.MIGRATION)).contains(again);
            assertThat(writers.done.get()).isPositive();
        }
    }

    @Test
    void withoutRepairTheDifferencesRemain() {
        fill(1_000);
        pair.replicate();
        Map<String, String> expected = damage(2);
        ValidationLedger.Report report = pair.validate(false);
        assertThat(kinds(report)).containsExactlyInAnyOrderEntriesOf(expected);
        assertThat(report.remaining()).isEqualTo(expected.size());
        List<Check> checks = Objects.requireNonNull(report.checks());
        assertThat(checks)
                .extracting(Check::name)
                .containsExactly("keys", "types", "values", "expiries", "encodings", "functions");
        assertThat(checks.subList(0, 5)).extracting(Check::compared).containsOnly(report.keysCompared());
        assertThat(checks.stream().mapToLong(Check::differences).sum()).isEqualTo(expected.size());
        Set<String> absent = Set.of("missing", "extra");
        assertThat(checks.getFirst().differences())
                .isEqualTo(expected.values().stream().filter(absent::contains).count())
                .isPositive();
        assertThat(checks.getFirst().outcome()).isEqualTo("different");
        assertThat(checks.getLast()).isEqualTo(new Check("functions", "function libraries", 0, 0, 0, "equal"));
        assertThat(kinds(pair.validate(false))).containsExactlyInAnyOrderEntriesOf(expected);
    }

    /** With two servers the comparison may begin in the one that does not replicate. */
    @Test
    void whereReplicationRunsElsewhereNothingIsCalledDifferentThatCouldBeRepaired() {
        fill(1_000);
        pair.replicate();
        Map<String, String> expected = damage(2);
        assertThatThrownBy(() -> pair.elsewhere().validate(RedisServers.spec("replace"), true, null, cursor -> {}))
                .isInstanceOf(EqualPositions.UnsettledException.class)
                .hasMessageContaining("only where replication runs");
        assertThat(pair.reports.latest(RedisServers.MIGRATION)).isEmpty();
        assertThat(pair.validate(true).repaired()).isEqualTo(expected.size());
    }

    @Test
    void functionLibrariesAreComparedAndRepaired() {
        try (RespConnection source = pair.servers.connect("source")) {
            for (String name : List.of("kept", "changed", "gone")) {
                source.call("FUNCTION", "LOAD", library(name, 1));
            }
            pair.replicate();
            assertThat(pair.validate(false).sample()).isEmpty();
            source.call("FUNCTION", "LOAD", "REPLACE", library("kept", 2)); // travels with the log: no difference
            assertThat(pair.validate(false).sample()).isEmpty();
            try (RespConnection target = pair.damage()) {
                target.call("FUNCTION", "LOAD", "REPLACE", library("changed", 3));
                target.call("FUNCTION", "DELETE", "gone");
                target.call("FUNCTION", "LOAD", library("extra", 1));
                Map<String, String> expected = Map.of(
                        "function library changed", "value",
                        "function library gone", "missing",
                        "function library extra", "extra");
                ValidationLedger.Report found = pair.validate(false);
                assertThat(kinds(found)).isEqualTo(expected);
                assertThat(found.remaining()).isEqualTo(3);
                assertThat(Objects.requireNonNull(found.checks()).getLast())
                        .isEqualTo(new Check("functions", "function libraries", 3, 3, 0, "different"));
                assertThatThrownBy(
                                () -> pair.elsewhere().validate(RedisServers.spec("replace"), true, null, cursor -> {}))
                        .isInstanceOf(EqualPositions.UnsettledException.class)
                        .hasMessageContaining("3 function libraries can be repaired only where replication runs");
                ValidationLedger.Report mended = pair.validate(true);
                assertThat(kinds(mended)).isEqualTo(expected);
                assertThat(mended.remaining()).isZero();
                assertThat(Objects.requireNonNull(mended.checks()).getLast().outcome())
                        .isEqualTo("repaired");
                assertThat(pair.validate(false).differencesFound()).isZero();
                assertThat(target.call("FCALL", "changed", 0).number()).isEqualTo(1);
            }
        }
    }

    private static String library(String name, int answer) {
        return "#!lua name=" + name + "\nredis.register_function('" + name + "', function() return " + answer + " end)";
    }

    private void fill(int keys) {
        try (RespConnection c = pair.servers.connect("source")) {
            int sent = 0;
            for (int i = 0; i < keys; i++) {
                switch (i % 10) {
                    case 0 -> c.send("SET", "k:" + i, "value-" + i);
                    case 1 -> c.send("SET", "k:" + i, i);
                    case 2 -> c.send("HSET", "k:" + i, "a", i, "b", "x" + i);
                    case 3 -> c.send("RPUSH", "k:" + i, "a", "b", i);
                    case 4 -> c.send("SADD", "k:" + i, i, i + 1, i + 2);
                    case 5 -> c.send("SADD", "k:" + i, "a", "b", i);
                    case 6 -> c.send("ZADD", "k:" + i, 1, "a", i, "b");
                    case 7 -> c.send("SET", "k:" + i, "expiring", "PX", 3_600_000 + i);
                    case 8 -> c.send("XADD", "k:" + i, "*", "f", i);
                    default -> c.send("APPEND", "k:" + i, "appended");
                }
                sent++;
            }
            c.flush();
            c.read(sent);
            c.call("SELECT", 9);
            c.call("SET", new byte[] {'b', (byte) 0xff, 0, '"'}, "x");
            for (int i = 0; i < 600; i++) {
                c.call("HSET", "large", "f" + i, i);
                c.call("SADD", "largeset", "m" + i);
            }
        }
    }

    /** {@code each} keys of each kind, on the target alone; kinds by key. */
    private Map<String, String> damage(int each) {
        Map<String, String> expected = new TreeMap<>();
        try (RespConnection c = pair.damage()) {
            for (int n = 0; n < each; n++) {
                int base = n * 100;
                spoil(c, expected, base, "value", "SET", "k:" + base, "VALUE-" + base);
                spoil(c, expected, base + 1, "type", "DEL", "k:" + (base + 1));
                c.call("RPUSH", "k:" + (base + 1), "x");
                spoil(c, expected, base + 2, "field", "HSET", "k:" + (base + 2), "a", "other");
                spoil(c, expected, base + 3, "order", "LMOVE", "k:" + (base + 3), "k:" + (base + 3), "LEFT", "RIGHT");
                spoil(c, expected, base + 4, "encoding", "SADD", "k:" + (base + 4), "text");
                c.call("SREM", "k:" + (base + 4), "text");
                spoil(c, expected, base + 5, "field", "SREM", "k:" + (base + 5), "a");
                spoil(c, expected, base + 6, "field", "ZADD", "k:" + (base + 6), 2, "a");
                spoil(c, expected, base + 7, "ttl", "PERSIST", "k:" + (base + 7));
                spoil(c, expected, base + 8, "field", "XADD", "k:" + (base + 8), "*", "g", 1);
                spoil(c, expected, base + 9, "missing", "DEL", "k:" + (base + 9));
                spoil(c, expected, base + 10, "ttl", "EXPIRE", "k:" + (base + 10), 100_000);
                spoil(c, expected, base + 17, "ttl", "PEXPIRE", "k:" + (base + 17), 3_500_000);
                spoil(c, expected, base + 13, "value", "RPUSH", "k:" + (base + 13), "more");
                c.call("SET", "extra:" + n, "x");
                expected.put("extra:" + n, "extra");
            }
            c.call("SELECT", 9);
            c.call("SET", new byte[] {'b', (byte) 0xff, 0, '"'}, "y");
            expected.put("b\\xff\\x00\"", "value");
            c.call("HSET", "large", "f7", "other");
            expected.put("large", "field");
            c.call("SELECT", 11);
            c.call("SET", "extra-database", "x", "EX", 1000);
            expected.put("extra-database", "extra");
        }
        return expected;
    }

    private static void spoil(RespConnection c, Map<String, String> expected, int key, String kind, Object... command) {
        c.call(command);
        expected.put("k:" + key, kind);
    }

    private static Map<String, String> kinds(ValidationLedger.Report report) {
        Map<String, String> kinds = new TreeMap<>();
        report.sample().forEach(difference -> kinds.put(difference.key(), difference.kind()));
        return kinds;
    }

    @Test
    void aRunThatIsCutOffGoesOn() {
        fill(10_000);
        pair.replicate();
        Map<String, String> expected = damage(10);
        List<ValidationCursor> seen = new ArrayList<>();
        assertThatThrownBy(() -> pair.validation().validate(RedisServers.spec("replace"), true, null, cursor -> {
                    seen.add(cursor);
                    if (cursor.keysCompared() > 4_000) {
                        throw new IllegalStateException("cut off");
                    }
                }))
                .hasMessage("cut off");
        ValidationCursor last = seen.getLast();
        assertThat(last.differencesFound()).isPositive();
        List<ValidationCursor> after = new ArrayList<>();
        ValidationLedger.Report report =
                pair.validation().validate(RedisServers.spec("replace"), true, last, after::add);
        assertThat(after.getFirst().keysCompared()).isGreaterThan(4_000);
        assertThat(report.id()).isEqualTo(last.report());
        assertThat(kinds(report)).containsExactlyInAnyOrderEntriesOf(expected);
        assertThat(report.differencesFound()).isEqualTo(expected.size());
        assertThat(report.remaining()).isZero();
    }

    @Test
    void aTurnOfTheDirectionEndsTheRun() {
        fill(1_000);
        pair.replicate();
        assertThatThrownBy(() -> pair.validation(
                                new ValidationOptions(64, 4, 1 << 20, 200, java.time.Duration.ofSeconds(2), 10))
                        .validate(RedisServers.spec("replace"), true, null, cursor -> pair.turn()))
                .isInstanceOf(EqualPositions.UnsettledException.class);
    }

    @Test
    void ownKeysOfATargetThatAreToStayAreConflictsOnlyWhereTheyDiffer() {
        fill(1_000);
        pair.replicate();
        try (RespConnection c = pair.damage()) {
            c.call("SET", "own", "x");
            c.call("SET", "k:0", "own");
        }
        ValidationLedger.Report report =
                pair.validation().validate(RedisServers.spec("skip"), true, null, cursor -> {});
        assertThat(kinds(report)).containsExactlyEntriesOf(Map.of("k:0", "value"));
        assertThat(report.remaining()).isEqualTo(1);
    }
}
