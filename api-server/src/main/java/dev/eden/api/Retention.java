package dev.eden.api;

import dev.eden.api.store.ForgottenMigrations;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has migrations that ended long ago forgotten. */
final class Retention implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Retention.class);
    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    private final ForgottenMigrations migrations;
    private final Duration keep;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("retention").daemon().factory());

    private Retention(ForgottenMigrations migrations, Duration keep) {
        this.migrations = migrations;
        this.keep = keep;
    }

    /** {@code keep} zero: nothing is forgotten. */
    static Retention start(ForgottenMigrations migrations, Duration keep) {
        Retention retention = new Retention(migrations, keep);
        if (!keep.isZero()) {
            long every = Math.max(1, Math.min(LONGEST_WAIT.toSeconds(), keep.toSeconds() / 10));
            retention.clock.scheduleWithFixedDelay(retention::look, 1, every, TimeUnit.SECONDS);
        }
        return retention;
    }

    @Override
    public void close() throws InterruptedException {
        clock.shutdownNow();
        clock.awaitTermination(5, TimeUnit.SECONDS);
    }

    private void look() {
        try {
            int forgotten = 0;
            while (!Thread.currentThread().isInterrupted() && migrations.forgetOne(keep)) {
                forgotten++;
            }
            if (forgotten > 0) {
                LOGGER.atInfo().addKeyValue("migrations", forgotten).log("finished migrations forgotten");
            }
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("finished migrations can't be forgotten now; tried again");
        }
    }
}
