package dev.eden.api.metrics;

import dev.eden.proxy.Health;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What a proxy's ports for probes answer. A proxy without the store serves on and is ready; so is one whose interlay has no endpoint yet, since
 * proxies start before the first endpoint is registered. It holds requests in every cutover's pause: that must not take it out of a balancer,
 * so only a hold of more than {@value #LONG_HOLD_SECONDS} s is not ready. Thread-safe.
 */
public final class ProxyHealth {
    /** Longer than any attempt may hold by far: then the store is away in the middle of one. */
    static final int LONG_HOLD_SECONDS = 10;

    private final Supplier<Health> proxy;
    private final LongSupplier nanoTime;
    private volatile boolean draining;
    private long heldSince;
    private boolean held;

    public ProxyHealth(Supplier<Health> proxy, LongSupplier nanoTime) {
        this.proxy = proxy;
        this.nanoTime = nanoTime;
    }

    /** @param status of HTTP */
    public record Answer(int status, Map<String, Object> body) {}

    /** From now on not ready: the process has been told to end. */
    public void drain() {
        draining = true;
    }

    /** {@code path}: {@code /health}, {@code /health/ready} or {@code /health/live}. */
    public Answer answer(String path) {
        return switch (path) {
            case "/health/live" -> new Answer(200, Map.of("status", "live"));
            case "/health/ready" -> {
                boolean ready = !draining && !heldForLong(proxy.get());
                yield new Answer(ready ? 200 : 503, Map.of("status", ready ? "ready" : "not ready"));
            }
            case "/health" -> whole(proxy.get());
            default -> new Answer(404, Map.of("status", "nothing is at this path"));
        };
    }

    private Answer whole(Health health) {
        boolean stuck = heldForLong(health);
        boolean whole = health.storeReadable() && health.bound();
        String status = draining ? "draining" : stuck ? "unhealthy" : whole ? "healthy" : "degraded";
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("status", status);
        body.put("parts", Map.of("store", health.storeReadable() ? "up" : "down"));
        body.put("serving", health.serving());
        body.put("route", health.state().name().toLowerCase(java.util.Locale.ROOT));
        body.put("epoch", health.epoch());
        if (!health.detail().isEmpty()) {
            body.put("detail", health.detail());
        }
        return new Answer(draining || stuck ? 503 : 200, body);
    }

    private synchronized boolean heldForLong(Health health) {
        long now = nanoTime.getAsLong();
        if (health.serving()) {
            held = false;
        } else if (!held) {
            held = true;
            heldSince = now;
        }
        return held && now - heldSince > Duration.ofSeconds(LONG_HOLD_SECONDS).toNanos();
    }
}
