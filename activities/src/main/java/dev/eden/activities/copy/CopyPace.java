package dev.eden.activities.copy;

import dev.eden.activities.store.Tuning;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How fast a copy may go, all its lanes together. What an operator changes is in force with the next question, and a question that waits sees it
 * within {@link #SLICE_NANOS}. {@link #follow} belongs to one thread; everything else may be called from any number.
 */
public final class CopyPace {
    public static final int MOST_LANES = 16;

    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    /** However slow the source is, one block goes this often: a load that never ends helps nobody. */
    private static final long LATENCY_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    /** So much is kept of time in which nobody had anything to send: who is woken too late would be slower than the rate otherwise. */
    private static final double CREDIT_SECONDS = 0.05;
    /** Weight of the newest round trip in the moving average. */
    private static final double NEWEST = 0.2;

    private volatile Tuning tuning = Tuning.NONE;
    private volatile double sourceMillis;
    /** When the source was asked what it has not answered yet. */
    private volatile @Nullable Long sourceAskedNanos;

    private boolean looked;
    private long lookedNanos;

    /** Bytes that were asked for, ever, and those the rate has paid for: one's turn is when all before are paid. */
    private double asked;

    private double paid;
    private long earnedNanos = System.nanoTime();
    private long passedNanos = earnedNanos;

    /** Takes up what an operator has set, asking twice a second at most. True: something has changed. */
    public boolean follow(Supplier<Tuning> operator) {
        long now = System.nanoTime();
        if (looked && now - lookedNanos < LOOK_NANOS) {
            return false;
        }
        looked = true;
        lookedNanos = now;
        Tuning next = operator.get();
        boolean changed = !next.equals(tuning);
        tune(next);
        return changed;
    }

    void tune(Tuning next) {
        tuning = next;
    }

    /** What is in force. */
    public Tuning tuning() {
        return tuning;
    }

    public int lanes(int otherwise) {
        Integer wanted = tuning.parallelism();
        return wanted == null ? otherwise : Math.clamp(wanted, 1, MOST_LANES);
    }

    public int batch(int otherwise) {
        Integer wanted = tuning.batch();
        return wanted == null ? otherwise : Math.max(1, wanted);
    }

    /** True where somebody has to measure the source. */
    boolean watchesSource() {
        return tuning.maxSourceLatencyMs() != null;
    }

    /** A round trip to the source begins. */
    void sourceAsked() {
        sourceAskedNanos = System.nanoTime();
    }

    /** It took this long. */
    void sourceAnswered(long nanos) {
        sourceAskedNanos = null;
        sourceMillis = average(nanos / 1e6);
    }

    /** It answers more slowly than it may, or would if it answered now. */
    public boolean sourceIsSlow() {
        Integer most = tuning.maxSourceLatencyMs();
        if (most == null) {
            return false;
        }
        Long since = sourceAskedNanos;
        return sourceMillis > most || (since != null && average((System.nanoTime() - since) / 1e6) > most);
    }

    private double average(double newest) {
        return sourceMillis == 0 ? newest : sourceMillis + NEWEST * (newest - sourceMillis);
    }

    /** Waits until this many bytes may be sent, in the order of asking. {@code check} throws when waiting has become pointless. */
    public void pay(int bytes, Runnable check) throws InterruptedException {
        double turn = ask(bytes);
        boolean passed = false;
        try {
            for (long wait = wait(turn); wait > 0; wait = wait(turn)) {
                check.run();
                TimeUnit.NANOSECONDS.sleep(wait);
            }
            passed = true;
        } finally {
            if (!passed) {
                forgive(bytes);
            }
        }
    }

    private synchronized double ask(int bytes) {
        earn(System.nanoTime());
        asked += bytes;
        return asked;
    }

    /** Nobody waits for what is not going to be sent. */
    private synchronized void forgive(int bytes) {
        paid += bytes;
    }

    /** Nanoseconds until it is worth asking again; 0: go. */
    private synchronized long wait(double turn) {
        long now = System.nanoTime();
        @Nullable Long rate = earn(now);
        if (rate != null && paid < turn) {
            return Math.clamp((long) ((turn - paid) / rate * 1e9), 1, SLICE_NANOS);
        }
        if (sourceIsSlow() && now - passedNanos < LATENCY_WAIT_NANOS) {
            return SLICE_NANOS;
        }
        passedNanos = now;
        return 0;
    }

    private @Nullable Long earn(long now) {
        Long rate = tuning.copyRate();
        paid = rate == null ? asked : Math.min(asked + rate * CREDIT_SECONDS, paid + rate * (now - earnedNanos) / 1e9);
        earnedNanos = now;
        return rate;
    }
}
