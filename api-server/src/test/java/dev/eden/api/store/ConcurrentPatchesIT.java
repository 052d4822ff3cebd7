package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.Tuning;
import dev.eden.workflows.Strategy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two change something else of the same at once, and both have said so. */
class ConcurrentPatchesIT {
    private static final Strategy.WriteMode WRITES =
            new Strategy.WriteMode("dual_write", "old_authoritative", "source", null);
    private static final Strategy STRATEGY = new Strategy("canary", 0.5, "session", 5, null, WRITES);

    private TestDatabase database;
    private MigrationStore migrations;
    private TuningStore tunings;

    @BeforeEach
    void start() {
        database = TestDatabase.start();
        Jdbi jdbi = database.jdbi();
        AuditLog audit = new AuditLog(jdbi);
        migrations = new MigrationStore(jdbi, audit, (_, _) -> () -> {});
        tunings = new TuningStore(jdbi, audit);
        TestDatabase.create(migrations, "m", STRATEGY);
    }

    @AfterEach
    void stop() {
        database.close();
    }

    @Test
    void ofTheTuning() {
        MigrationStore.Migration migration = migrations.get("m");
        CountDownLatch looking = new CountDownLatch(1);
        CompletableFuture<Void> second = CompletableFuture.runAsync(() -> {
            await(looking);
            tunings.set(migration, now -> new Tuning(now.copyRate(), 3, null, null), "kim", "");
        });
        tunings.set(
                migration,
                now -> {
                    looking.countDown();
                    return new Tuning(100_000L, now.parallelism(), null, null);
                },
                "ada",
                "");
        second.join();
        assertThat(tunings.of("m")).isEqualTo(new Tuning(100_000L, 3, null, null));
    }

    @Test
    void ofTheStrategyBeforeTheStart() {
        CountDownLatch looking = new CountDownLatch(1);
        CompletableFuture<Void> second = CompletableFuture.runAsync(() -> {
            await(looking);
            migrations.patchBeforeStart("m", now -> now.withReadPercentage(0.1), "kim", "");
        });
        migrations.patchBeforeStart(
                "m",
                now -> {
                    looking.countDown();
                    return new Strategy(
                            now.type(), now.readPercentage(), "global", now.maxWaitMs(), null, now.writeMode());
                },
                "ada",
                "");
        second.join();
        assertThat(migrations.get("m").definition().strategy())
                .isEqualTo(new Strategy("canary", 0.1, "global", 5, null, WRITES));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
