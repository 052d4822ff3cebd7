package dev.eden.api.metrics;

import dev.eden.api.metrics.HealthServlet.Check;
import dev.eden.api.metrics.HealthServlet.Part;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A check that may hang: one of it runs at a time, on a virtual thread, and who asks meanwhile waits for that one. So probes of a
 * dependency that hangs take one thread and one connection, however many they are. Thread-safe.
 */
final class HealthLook {
    private static final Logger LOGGER = LoggerFactory.getLogger(HealthLook.class);

    private final Check check;
    private @Nullable CompletableFuture<Part> running;

    HealthLook(Check check) {
        this.check = check;
    }

    /** The running look, or a new one. */
    synchronized CompletableFuture<Part> begin() {
        CompletableFuture<Part> now = running;
        if (now == null || now.isDone()) {
            now = CompletableFuture.supplyAsync(
                    check.look(), task -> Thread.ofVirtual().name("health").start(task));
            running = now;
        }
        return now;
    }

    /** What {@code look} says until {@code deadline} of {@link System#nanoTime}. */
    Part await(CompletableFuture<Part> look, long deadline) {
        try {
            return look.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return check.late();
        } catch (ExecutionException e) {
            LOGGER.atDebug().setCause(e).log("a dependency can't be looked at");
            return check.late();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return check.late();
        }
    }
}
