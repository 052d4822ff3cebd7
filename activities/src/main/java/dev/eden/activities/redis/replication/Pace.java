package dev.eden.activities.redis.replication;

import dev.eden.activities.store.Tuning;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How fast a copy may go. The replicator's thread sets it, the loading thread asks; what changes is in force with the next question, and a
 * question that waits sees it within {@link #SLICE_MILLIS}.
 */
final class Pace {
    static final int MOST_LANES = 16;

    private static final long SLICE_MILLIS = 20;
    /** However slow the source is, one chunk goes this often: a load that never ends helps nobody. */
    private static final long LATENCY_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    /** Weight of the newest round trip in the moving average. */
    private static final double NEWEST = 0.2;

    private volatile Tuning tuning = Tuning.NONE;
    private volatile double sourceMillis;

    /** Bytes sent that the rate has not paid for yet; the loading thread's. */
    private double debt;

    private long paidAtNanos = System.nanoTime();

    void tune(Tuning next) {
        tuning = next;
    }

    int lanes(int otherwise) {
        Integer wanted = tuning.parallelism();
        return wanted == null ? otherwise : Math.clamp(wanted, 1, MOST_LANES);
    }

    int batch(int otherwise) {
        Integer wanted = tuning.batch();
        return wanted == null ? otherwise : Math.max(1, wanted);
    }

    /** True where somebody has to measure the source. */
    boolean watchesSource() {
        return tuning.maxSourceLatencyMs() != null;
    }

    /** A round trip to the source took this long. */
    void sourceAnswered(long nanos) {
        double millis = nanos / 1e6;
        sourceMillis = sourceMillis == 0 ? millis : sourceMillis + NEWEST * (millis - sourceMillis);
    }

    /** Waits until this many bytes may be sent. {@code check} throws when waiting has become pointless. */
    void pay(int bytes, Runnable check) throws InterruptedException {
        long beganNanos = System.nanoTime();
        debt += bytes;
        while (true) {
            long now = System.nanoTime();
            @Nullable Long rate = tuning.copyRate();
            debt = rate == null ? 0 : Math.max(0, debt - rate * (now - paidAtNanos) / 1e9);
            paidAtNanos = now;
            if (debt <= 0 && (!sourceIsSlow() || now - beganNanos > LATENCY_WAIT_NANOS)) {
                return;
            }
            check.run();
            TimeUnit.MILLISECONDS.sleep(SLICE_MILLIS);
        }
    }

    private boolean sourceIsSlow() {
        Integer most = tuning.maxSourceLatencyMs();
        return most != null && sourceMillis > most;
    }
}
