package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FailureLimiterTest {
    private final AtomicLong now = new AtomicLong();
    private final FailureLimiter limiter = new FailureLimiter(3, Duration.ofSeconds(60), now::get);

    @Test
    void blocksAfterTheLimitUntilTheWindowHasPassed() {
        limiter.failed("a");
        limiter.failed("a");
        assertThat(limiter.blockedSeconds("a")).isZero();
        limiter.failed("a");
        assertThat(limiter.blockedSeconds("a")).isEqualTo(60);
        assertThat(limiter.blockedSeconds("b")).isZero();
        now.addAndGet(Duration.ofSeconds(60).toNanos());
        assertThat(limiter.blockedSeconds("a")).isZero();
    }
}
