package dev.eden.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.Health;
import dev.eden.proxy.RouteState;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What an orchestrator does to a proxy because of its probes must never end a client's connection without need. */
class ProxyHealthTest {
    private static final Health SERVING = new Health(true, RouteState.STABLE, 3, true, true, "");
    private static final Health HOLDING = new Health(false, RouteState.PREPARED, 3, true, true, "");
    private static final Health WITHOUT_STORE =
            new Health(true, RouteState.STABLE, 3, false, true, "the store can't be read");
    private static final Health UNBOUND =
            new Health(true, RouteState.STABLE, 0, true, false, "the interlay has no endpoint yet");

    private final AtomicReference<Health> proxy = new AtomicReference<>(SERVING);
    private final AtomicLong clock = new AtomicLong();
    private final ProxyHealth health = new ProxyHealth(proxy::get, clock::get);

    @Test
    void servingIsReadyAndHealthy() {
        assertThat(status("/health/ready")).isEqualTo(200);
        assertThat(health.answer("/health").body())
                .containsEntry("status", "healthy")
                .containsEntry("epoch", 3L);
        assertThat(status("/health/other")).isEqualTo(404);
    }

    @Test
    void thePauseOfACutoverTakesNobodyOutOfTheBalancer() {
        proxy.set(HOLDING);
        assertThat(status("/health/ready")).isEqualTo(200);
        clock.addAndGet(TimeUnit.SECONDS.toNanos(ProxyHealth.LONG_HOLD_SECONDS));
        assertThat(status("/health/ready")).isEqualTo(200);
        clock.addAndGet(1);
        assertThat(status("/health/ready"))
                .as("held for longer than any attempt")
                .isEqualTo(503);
        assertThat(status("/health")).isEqualTo(503);
        assertThat(status("/health/live"))
                .as("a restart would end the clients it holds")
                .isEqualTo(200);
        proxy.set(SERVING);
        assertThat(status("/health/ready")).isEqualTo(200);
    }

    @Test
    void withoutTheStoreItServesOnAndSaysSo() {
        proxy.set(WITHOUT_STORE);
        assertThat(status("/health/ready")).isEqualTo(200);
        assertThat(health.answer("/health").body())
                .containsEntry("status", "degraded")
                .containsEntry("detail", "the store can't be read");
    }

    /** Start-up probes ask whether it is ready, and applications may start before anybody registers the first endpoint. */
    @Test
    void withoutAnEndpointItIsReadyAndSaysThatNothingIsForwarded() {
        proxy.set(UNBOUND);
        assertThat(status("/health/ready")).isEqualTo(200);
        assertThat(status("/health")).isEqualTo(200);
        assertThat(health.answer("/health").body())
                .containsEntry("status", "degraded")
                .containsEntry("detail", "the interlay has no endpoint yet");
    }

    @Test
    void toldToEndItIsNotReadyAndAlive() {
        health.drain();
        assertThat(status("/health/ready")).isEqualTo(503);
        assertThat(health.answer("/health").body()).containsEntry("status", "draining");
        assertThat(status("/health/live")).isEqualTo(200);
    }

    private int status(String path) {
        return health.answer(path).status();
    }
}
