package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RateLimiterTest {
    private final AtomicLong now = new AtomicLong();
    private final RateLimiter limiter = new RateLimiter(10, 3, now::get);
    private final UUID one = UUID.randomUUID();

    @Test
    void aBurstPassesThenTheRateHolds() {
        for (int i = 0; i < 3; i++) {
            assertThat(limiter.take(one)).isZero();
        }
        assertThat(limiter.take(one)).isEqualTo(1);
        now.addAndGet(100_000_000);
        assertThat(limiter.take(one)).as("a tenth of a second later").isZero();
        assertThat(limiter.take(one)).isEqualTo(1);
        now.addAndGet(3_600_000_000_000L);
        for (int i = 0; i < 3; i++) {
            assertThat(limiter.take(one)).isZero();
        }
        assertThat(limiter.take(one))
                .as("an hour saves up no more than a burst")
                .isEqualTo(1);
    }

    @Test
    void oneTokenTakesNothingFromAnother() {
        while (limiter.take(one) == 0) {}
        assertThat(limiter.take(UUID.randomUUID())).isZero();
    }
}
