package dev.eden.api.rest;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Counts failed logins by the client's address: after {@code limit} of them within the window nothing from there is looked at until the
 * window has passed. Remembers a bounded number of addresses, the oldest go first. Thread-safe.
 */
final class FailureLimiter {
    private static final int ADDRESSES = 10_000;

    private final int limit;
    private final long windowNanos;
    private final LongSupplier nanoTime;
    private final Map<String, Window> windows = new LinkedHashMap<>();

    FailureLimiter(int limit, Duration window, LongSupplier nanoTime) {
        this.limit = limit;
        this.windowNanos = window.toNanos();
        this.nanoTime = nanoTime;
    }

    private record Window(long start, int failures) {}

    /** Seconds until the address may try again; 0 when it may now. */
    synchronized long blockedSeconds(String address) {
        Window window = windows.get(address);
        if (window == null || window.failures() < limit) {
            return 0;
        }
        long left = windowNanos - (nanoTime.getAsLong() - window.start());
        if (left <= 0) {
            windows.remove(address);
            return 0;
        }
        return Math.max(1, Duration.ofNanos(left).toSeconds());
    }

    synchronized void failed(String address) {
        long now = nanoTime.getAsLong();
        Window window = windows.get(address);
        if (window == null || now - window.start() >= windowNanos) {
            windows.remove(address);
            windows.put(address, new Window(now, 1));
        } else {
            windows.put(address, new Window(window.start(), window.failures() + 1));
        }
        if (windows.size() > ADDRESSES) {
            windows.remove(windows.keySet().iterator().next());
        }
    }
}
