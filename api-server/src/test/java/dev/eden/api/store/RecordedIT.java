package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.api.route.PostgresReplicationLedger;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.SqlLogger;
import org.jdbi.v3.core.statement.StatementContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What workflows record reaches the directory, and whoever waits for it. */
class RecordedIT {
    private final AtomicInteger looks = new AtomicInteger();
    private TestDatabase database;
    private StoreChanges changes;
    private AuditLog audit;
    private MigrationStore migrations;
    private MigrationRecorder recorder;
    private String run = "first";

    @BeforeEach
    void start() {
        database = TestDatabase.start();
        Properties login = new Properties();
        login.setProperty("user", database.postgres().user());
        login.setProperty("password", database.postgres().password());
        changes = StoreChanges.withRecords(database.postgres().jdbcUrl(), login);
        Jdbi jdbi = database.jdbi();
        jdbi.setSqlLogger(new SqlLogger() {
            @Override
            public void logAfterExecution(StatementContext context) {
                if (context.getRawSql().contains("WHERE m.id = :id")) {
                    looks.incrementAndGet();
                }
            }
        });
        audit = new AuditLog(jdbi);
        migrations = new MigrationStore(jdbi, audit, changes);
        recorder = new MigrationRecorder(jdbi, audit, null, () -> run);
    }

    @AfterEach
    void stop() {
        changes.close();
        database.close();
    }

    @Test
    void whoeverWaitsHearsOfItAndHardlyAsks() {
        Migration before = create("m");
        create("other");
        looks.set(0);
        migrations.awaitRecord(before, Duration.ofSeconds(1));
        assertThat(looks.get()).as("nothing came").isBetween(1, 5);

        AtomicInteger heard = new AtomicInteger();
        Runnable deaf = changes.listen("m", heard::incrementAndGet);
        record("other", 1, null);
        record("m", 1, null);
        await().untilAsserted(() -> assertThat(heard).hasValue(1));
        deaf.run();

        Migration now = migrations.get("m");
        looks.set(0);
        CompletableFuture<Void> waiting =
                CompletableFuture.runAsync(() -> migrations.awaitRecord(now, Duration.ofMinutes(10)));
        await().until(() -> looks.get() > 0);
        record("m", 2, null);
        await().until(waiting::isDone);
        assertThat(migrations.get("m").revision()).isEqualTo(2);
    }

    /** Whatever way it came; one that is late changes nothing. */
    @Test
    void theStrategyInForceIsKept() {
        create("m");
        record("m", 2, canary(0.5));
        assertThat(share()).isEqualTo(0.5);
        record("m", 3, null);
        assertThat(share()).as("of another command").isEqualTo(0.5);
        record("m", 1, canary(0.2));
        assertThat(share()).as("one from before").isEqualTo(0.5);
    }

    /** After "Reset" in Temporal's Web UI the new run counts on from where it was reset to. */
    @Test
    void whatARunThatWasResetRecordsIsNotLost() {
        create("m");
        for (long revision = 1; revision <= 3; revision++) {
            record("m", revision, "first", "phase_changed", "canary");
        }
        record("m", 3, "second", "pause", "canary");
        record("m", 4, "second", "phase_changed", "completed");
        record("m", 4, "second", "phase_changed", "completed");
        assertThat(audit.events("m", 0, 100))
                .extracting(AuditLog.Event::event)
                .as("a record that comes again is one")
                .containsExactly(
                        "migration.created",
                        "phase_changed",
                        "phase_changed",
                        "phase_changed",
                        "command.pause",
                        "phase_changed");
        assertThat(migrations.get("m").phase()).isEqualTo("completed");
        assertThat(migrations.get("m").ended()).isTrue();
        create("next");
        record("next", 1, "first", "phase_changed", "initializing");
        record("next", 2, "continued", "phase_changed", "canary");
        assertThat(migrations.get("next").revision())
                .as("a run that goes on counts on")
                .isEqualTo(2);
    }

    @Test
    void anIdThatWasForgottenBeginsAnew() {
        ForecastStore forecasts = new ForecastStore(database.jdbi());
        create("m");
        record("m", 1, "first", "phase_changed", "replicating");
        record("m", 2, "first", "phase_changed", "validating");
        assertThat(forecasts.copyTook("m")).isPresent();
        database.jdbi().useHandle(handle -> handle.execute("DELETE FROM migration WHERE id = 'm'"));
        create("m");
        assertThat(forecasts.copyTook("m")).as("the former's").isEmpty();
        assertThat(audit.events("m", 0, 100)).extracting(AuditLog.Event::event).containsExactly("migration.created");
        record("m", 3, "second", "phase_changed", "replicating");
        record("m", 4, "second", "phase_changed", "validating");
        assertThat(forecasts.copyTook("m")).isPresent();
        assertThat(audit.events("m", 0, 100)).hasSize(3);
    }

    /** Its server was killed before Temporal heard of it, and somebody has deleted the migration since. */
    @Test
    void anEndThatIsToldAgainOfWhatWasForgottenIsNothing() {
        create("m");
        record("m", 1, "first", "phase_changed", "completed");
        database.jdbi().useHandle(handle -> handle.execute("DELETE FROM migration WHERE id = 'm'"));
        record("m", 1, "first", "phase_changed", "completed");
        assertThatThrownBy(() -> record("m", 1, "first", "phase_changed", "canary"))
                .hasMessageContaining("migration m does not exist");
    }

    /** Of a replicator on a machine whose clock is off, in either direction. */
    @Test
    void progressIsAsOldAsTheStoreSays() {
        var ledger = new PostgresReplicationLedger(database.jdbi(), new TuningStore(database.jdbi(), audit));
        create("m");
        database.jdbi().useHandle(handle -> handle.execute("INSERT INTO replication (migration) VALUES ('m')"));
        for (long off : List.of(-10_000L, 10_000L)) {
            long now = System.currentTimeMillis();
            ledger.progress("m", new Progress("streaming", 1, 1, 1, 0, 0, 7, 1, 1, true, 0, null, now + off));
            assertThat(ledger.progress("m").orElseThrow().atMillis()).isBetween(now - 1_000, now + 2_000);
            assertThat(new StatusStore(database.jdbi())
                            .of("m")
                            .progress()
                            .orElseThrow()
                            .atMillis())
                    .isBetween(now - 1_000, now + 2_000);
        }
        database.jdbi()
                .useHandle(
                        handle -> handle.execute(
                                "UPDATE replication SET progress = jsonb_set(progress, '{atMillis}', to_jsonb((progress->>'atMillis')::bigint - 60000))"));
        assertThat(ledger.progress("m").orElseThrow().atMillis())
                .as("nobody has told it for a minute")
                .isLessThan(System.currentTimeMillis() - 59_000);
    }

    private double share() {
        return migrations.get("m").definition().strategy().readPercentage();
    }

    private Migration create(String id) {
        return TestDatabase.create(migrations, id, canary(0.1));
    }

    private void record(String id, long revision, @Nullable Strategy strategy) {
        recorder.record(new PhaseRecord(id, revision, "canary", "{}", "kim", "patch_strategy", "", strategy));
    }

    private void record(String id, long revision, String run, String event, String phase) {
        this.run = run;
        recorder.record(new PhaseRecord(id, revision, phase, "{}", "eden", event, "", null));
    }

    private static Strategy canary(double share) {
        return new Strategy(
                "canary", share, "session", 5, List.of(), new Strategy.WriteMode("dual_write", null, "source", null));
    }
}
