package dev.eden.api.rest;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongSupplier;

/** A bucket for each token: {@code burst} requests at once, refilled at {@code perSecond}. Remembers a bounded number. Thread-safe. */
final class RateLimiter {
    private static final int TOKENS = 10_000;

    private final double perNano;
    private final double burst;
    private final LongSupplier nanoTime;
    private final Map<UUID, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true);

    RateLimiter(int perSecond, int burst, LongSupplier nanoTime) {
        this.perNano = perSecond / 1e9;
        this.burst = burst;
        this.nanoTime = nanoTime;
    }

    private record Bucket(double left, long at) {}

    /** 0 where the request may go on; else seconds until one may. */
    synchronized long take(UUID token) {
        long now = nanoTime.getAsLong();
        Bucket before = buckets.get(token);
        double left = before == null ? burst : Math.min(burst, before.left() + (now - before.at()) * perNano);
        boolean taken = left >= 1;
        buckets.put(token, new Bucket(taken ? left - 1 : left, now));
        if (buckets.size() > TOKENS) {
            buckets.remove(buckets.keySet().iterator().next());
        }
        return taken
                ? 0
                : Math.max(1, Duration.ofNanos((long) ((1 - left) / perNano)).toSeconds());
    }
}
