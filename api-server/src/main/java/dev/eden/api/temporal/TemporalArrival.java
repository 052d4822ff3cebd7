package dev.eden.api.temporal;

import dev.eden.api.problem.StartupException;
import io.temporal.worker.WorkerFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Workers that begin when Temporal is there. Where a proxy runs in the server its clients must not lose it because Temporal is away: the server goes on,
 * says that it is not ready, and this tries on.
 */
public final class TemporalArrival implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TemporalArrival.class);
    private static final Duration AGAIN = Duration.ofSeconds(1);
    private static final Duration END_PATIENCE = Duration.ofSeconds(5);

    private final TemporalConnection temporal;
    private final WorkerFactory workers;
    private final Duration patience;
    private @Nullable Thread trying;

    private TemporalArrival(TemporalConnection temporal, WorkerFactory workers, Duration patience) {
        this.temporal = temporal;
        this.workers = workers;
        this.patience = patience;
    }

    /**
     * Connects and starts {@code workers}. Where nothing answers within {@code patience}: throws {@link StartupException}, or, where there is something
     * to {@code serve} without Temporal, tries on besides.
     */
    public static TemporalArrival await(
            TemporalConnection temporal, WorkerFactory workers, Duration patience, boolean serve) {
        TemporalArrival arrival = new TemporalArrival(temporal, workers, patience);
        try {
            arrival.begin();
        } catch (RuntimeException e) {
            if (!serve || Thread.currentThread().isInterrupted()) {
                throw e;
            }
            LOGGER.atWarn().log("{}: clients are served, migrations stand still until it can", e.getMessage());
            arrival.trying = Thread.ofVirtual().name("temporal-arrival").start(arrival::run);
        }
        return arrival;
    }

    /** A frontend may answer whose namespace is not there yet, or that can't reach its database: then the workers can't begin. */
    private void begin() {
        temporal.connect(patience);
        try {
            workers.start();
        } catch (RuntimeException e) {
            throw new StartupException(
                    "Temporal answers, but can't serve: " + e.getMessage(),
                    "look at its log and its database, and whether the namespace exists (--temporal-namespace, TEMPORAL_NAMESPACE)");
        }
        temporal.serves();
    }

    private void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                begin();
                LOGGER.atInfo().log("Temporal is there: migrations go on");
                return;
            } catch (RuntimeException e) {
                LOGGER.atDebug().setCause(e).log("Temporal is still away");
            }
            try {
                Thread.sleep(AGAIN);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Ends the workers. */
    @Override
    public void close() {
        Thread still = trying;
        try {
            if (still != null) {
                still.interrupt();
                still.join(END_PATIENCE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        workers.shutdownNow();
        workers.awaitTermination(END_PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}
