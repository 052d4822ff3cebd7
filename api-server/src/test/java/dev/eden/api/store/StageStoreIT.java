package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.activities.store.StageLedger.Latency;
import dev.eden.api.route.StoreChanges;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.AuditEvents;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.Strategy.WriteMode;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;

/** What was seen of a stage outlives its watch, is shown, and that it waits is told once. */
class StageStoreIT {
    private static final long BAKED = 1_767_225_600_000L;

    @Test
    void whatWasSeenIsKeptAndThatItWaitsIsToldOnce() {
        try (TestDatabase database = TestDatabase.start()) {
            Properties login = new Properties();
            login.setProperty("user", database.postgres().user());
            login.setProperty("password", database.postgres().password());
            try (StoreChanges changes =
                    StoreChanges.withRecords(database.postgres().jdbcUrl(), login)) {
                AuditLog audit = new AuditLog(database.jdbi());
                create(new MigrationStore(database.jdbi(), audit, changes));
                StageStore stages = new StageStore(database.jdbi(), audit);
                isKept(stages, database.jdbi());
                isToldOnce(stages, audit);
                differencesAreToldAsTheyGrow(stages, audit);
                aDelayIsToldUntilSomethingElseIs(stages, audit);
            }
        }
    }

    private static void isKept(StageStore stages, Jdbi jdbi) {
        StatusStore statuses = new StatusStore(jdbi);
        assertThat(statuses.of("m").stage()).isNull();
        TrafficReport.Side side = new TrafficReport.Side(1, 0, 1, 1, 1);
        Counted counted = new Counted(
                37,
                1,
                2,
                0,
                new Latency("front", "p1", 1, 100, 2, 200),
                5,
                List.of(new Reported(
                        "front", "p1", "i1", new TrafficReport(1, 1, 0, side, side, 1, 1, 1, 0, 0, Map.of()))));
        stages.save("m", BAKED, counted);
        assertThat(stages.counted("m", BAKED)).hasValue(counted);
        assertThat(stages.counted("m", BAKED + 1)).isEmpty();
        assertThat(statuses.of("m").stage())
                .isEqualTo(new StatusStore.Stage(BAKED, new Counted(37, 1, 2, 0, counted.latency(), 5, List.of())));
        jdbi.useHandle(
                handle -> handle.execute("UPDATE stage_watch SET counted = counted - 'latency' - 'began_at_millis'"));
        assertThat(stages.counted("m", BAKED))
                .as("of before")
                .hasValue(new Counted(37, 1, 2, 0, null, 0, counted.heard()));
    }

    private static void isToldOnce(StageStore stages, AuditLog audit) {
        stages.waits("unknown", BAKED, "baked");
        stages.waits("m", BAKED, "baked, waits for samples: 37 of 1000 reads");
        stages.waits("m", BAKED, "baked, waits for samples: 38 of 1000 reads");
        stages.waits("m", BAKED + 60_000, "another stage");
        assertThat(audit.events("m", 0, 100))
                .filteredOn(event -> event.event().equals(AuditEvents.STAGE_WAITS))
                .extracting(AuditLog.Event::reason)
                .containsExactly("baked, waits for samples: 37 of 1000 reads", "another stage");
        assertThat(audit.events("unknown", 0, 100)).isEmpty();
    }

    private static void differencesAreToldAsTheyGrow(StageStore stages, AuditLog audit) {
        stages.differ("unknown", 1, "1 of 20");
        for (long mismatched : new long[] {1, 2, 9, 10, 1, 99, 100}) {
            stages.differ("m", mismatched, mismatched + " differ");
        }
        assertThat(audit.events("m", 0, 100))
                .filteredOn(event -> event.event().equals(AuditEvents.READS_DIFFER))
                .extracting(AuditLog.Event::reason)
                .containsExactly("1 differ", "10 differ", "100 differ");
        assertThat(audit.events("unknown", 0, 100)).isEmpty();
    }

    private static void aDelayIsToldUntilSomethingElseIs(StageStore stages, AuditLog audit) {
        stages.delayed("m", "lag 500 ms");
        stages.delayed("m", "lag 700 ms");
        stages.differ("m", 1_000, "1000 differ");
        stages.delayed("m", "lag 900 ms");
        assertThat(audit.events("m", 0, 100))
                .filteredOn(event -> event.event().equals(AuditEvents.DELAYED))
                .extracting(AuditLog.Event::reason)
                .containsExactly("lag 500 ms", "lag 900 ms");
    }

    private static void create(MigrationStore migrations) {
        TestDatabase.create(
                migrations,
                "m",
                new Strategy("canary", 0.1, "session", 5, null, new WriteMode("dual_write", null, "source", null)));
    }
}
