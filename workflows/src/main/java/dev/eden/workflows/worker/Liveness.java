package dev.eden.workflows.worker;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.client.ActivityCompletionException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Heartbeats for an activity that has no progress to tell, so that Temporal finds a dead worker within seconds instead of after
 * the activity's time limit. It never interrupts the activity: these are short, idempotent and not worth leaving half done.
 */
final class Liveness {
    private static final Logger LOGGER = LoggerFactory.getLogger(Liveness.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);

    private Liveness() {}

    static <T> T whileRunning(Supplier<T> activity) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        CountDownLatch done = new CountDownLatch(1);
        Thread.ofVirtual().name("liveness").start(() -> beat(context, done));
        try {
            return activity.get();
        } finally {
            done.countDown();
        }
    }

    private static void beat(ActivityExecutionContext context, CountDownLatch done) {
        try {
            do {
                context.heartbeat(null);
            } while (!done.await(PERIOD.toMillis(), TimeUnit.MILLISECONDS));
        } catch (ActivityCompletionException e) {
            // Cancelled, or given up by the server: the activity ends by itself and its result is ignored.
            stopped(context, e);
        } catch (RejectedExecutionException e) {
            // The worker has shut down around the activity.
            stopped(context, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void stopped(ActivityExecutionContext context, RuntimeException why) {
        LOGGER.atInfo()
                .addKeyValue("activity", context.getInfo().getActivityType())
                .log("Heartbeats ended: {}", why.getClass().getSimpleName());
    }
}
