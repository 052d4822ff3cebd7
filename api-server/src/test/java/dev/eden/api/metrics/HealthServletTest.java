package dev.eden.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.api.metrics.HealthServlet.Check;
import dev.eden.api.metrics.HealthServlet.Part;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A probe has its answer in time and it is true, also while a dependency neither answers nor refuses. */
class HealthServletTest {
    private static final Duration PATIENCE = Duration.ofMillis(200);

    private final CountDownLatch hang = new CountDownLatch(1);
    private final AtomicInteger looks = new AtomicInteger();

    @AfterEach
    void letGo() {
        hang.countDown();
    }

    @Test
    void whatHangsIsWaitedForOnceAndAllAreAskedAtOnce() {
        HealthServlet health = health(hanging(Part.of(false)), hanging(Part.unknown()), Check.of(() -> true));
        long begin = System.nanoTime();
        HealthServlet.Answer answer = health.all();
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .isGreaterThanOrEqualTo(PATIENCE)
                .as("not one after the other, each with the time that the dependency takes")
                .isLessThan(Duration.ofSeconds(5));
        assertThat(answer.status()).isEqualTo(503);
        assertThat(parts(answer)).isEqualTo("{a=down, b=unknown, c=up}");
    }

    @Test
    void manyProbesOfWhatHangsAreOneLookAndTheEndOfItIsSeen() {
        HealthServlet health = health(hanging(Part.of(false)), Check.of(() -> true), Check.of(() -> true));
        for (int i = 0; i < 5; i++) {
            assertThat(health.all().status()).isEqualTo(503);
        }
        assertThat(looks).hasValue(1);
        hang.countDown();
        await().untilAsserted(() -> assertThat(health.all().status()).isEqualTo(200));
        int before = looks.get();
        assertThat(health.all().status()).isEqualTo(200);
        assertThat(looks.get()).as("asked anew, not remembered").isGreaterThan(before);
    }

    @Test
    void whatIsUnknownIsDegradedAndServes() {
        HealthServlet.Answer answer = health(
                        Check.of(() -> true), Check.of(() -> true), new Check(Part::unknown, Part.unknown()))
                .all();
        assertThat(answer.status()).isEqualTo(200);
        assertThat(String.valueOf(answer.body().get("status"))).isEqualTo("degraded");
    }

    private Check hanging(Part late) {
        return new Check(
                () -> {
                    looks.incrementAndGet();
                    try {
                        hang.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    return Part.of(true);
                },
                late);
    }

    private static HealthServlet health(Check a, Check b, Check c) {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("a", a);
        checks.put("b", b);
        checks.put("c", c);
        return new HealthServlet(checks, PATIENCE);
    }

    private static String parts(HealthServlet.Answer answer) {
        return String.valueOf(answer.body().get("parts"));
    }
}
