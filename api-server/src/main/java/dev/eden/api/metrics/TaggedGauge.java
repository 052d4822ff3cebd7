package dev.eden.api.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A gauge with a value for each set of tags. A meter stays for as long as its tags are told: the last one of a name that is taken away and made anew may be
 * there twice for a scrape of just then, and that fails as a whole.
 */
final class TaggedGauge {
    private final MultiGauge gauge;
    private final Map<Tags, AtomicReference<Number>> held = new HashMap<>();

    TaggedGauge(MeterRegistry registry, String name, String description) {
        this.gauge = MultiGauge.builder(name).description(description).register(registry);
    }

    /** All that there is now. One thread at a time. */
    void set(Map<Tags, ? extends Number> values) {
        held.keySet().retainAll(values.keySet());
        List<MultiGauge.Row<?>> rows = new ArrayList<>();
        values.forEach((tags, value) -> {
            AtomicReference<Number> one = held.computeIfAbsent(tags, _ -> new AtomicReference<>(value));
            one.set(value);
            rows.add(MultiGauge.Row.of(tags, one, now -> now.get().doubleValue()));
        });
        gauge.register(rows);
    }
}
