package dev.eden.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TaggedGaugeTest {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final TaggedGauge gauge = new TaggedGauge(registry, "eden_lag", "how far behind");

    @Test
    void showsWhatWasToldLast() {
        gauge.set(Map.of(Tags.of("migration", "a"), 1, Tags.of("migration", "b"), 2));
        gauge.set(Map.of(Tags.of("migration", "b"), 3, Tags.of("migration", "c"), 4.5));
        assertThat(registry.scrape())
                .contains("eden_lag{migration=\"b\"} 3.0", "eden_lag{migration=\"c\"} 4.5")
                .doesNotContain("\"a\"");
        gauge.set(Map.of());
        assertThat(registry.scrape()).doesNotContain("eden_lag{");
        gauge.set(Map.of(Tags.of("migration", "b"), 5));
        assertThat(registry.scrape()).contains("eden_lag{migration=\"b\"} 5.0");
    }

    /** Whoever scrapes just then sees each value once. */
    @Test
    void isScrapedWhileItIsTold() {
        gauge.set(Map.of(Tags.of("migration", "m"), 0));
        CompletableFuture<Void> telling = CompletableFuture.runAsync(() -> {
            for (int i = 0; i < 50_000; i++) {
                gauge.set(Map.of(Tags.of("migration", "m"), i));
            }
        });
        while (!telling.isDone()) {
            assertThat(registry.scrape()).containsOnlyOnce("eden_lag{");
        }
        telling.join();
    }
}
