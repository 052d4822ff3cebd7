package dev.eden.workflows;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.eden.workflows.MigrationSpec.Gates;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.DefaultDataConverter;
import io.temporal.common.converter.JacksonJsonPayloadConverter;
import org.jspecify.annotations.Nullable;

/**
 * How commands, activities' requests and workflows' states are written into histories. Servers of two versions work side by side, and either may read what the
 * other has written: what a reader does not know is left alone, and what is not there is not written.
 */
public final class HistoryJson {
    private HistoryJson() {}

    /** Gates in signals may be typed by hand; the store's and the API's are written whole, in words of their own. */
    private abstract static class TypedGates {
        @JsonCreator
        static Gates of(
                @JsonProperty("maxErrorRate") @JsonAlias("max_error_rate") @Nullable Double maxErrorRate,
                @JsonProperty("maxLatencyRatio") @JsonAlias("max_latency_ratio") @Nullable Double maxLatencyRatio,
                @JsonProperty("maxMismatchRate") @JsonAlias("max_mismatch_rate") @Nullable Double maxMismatchRate,
                @JsonProperty("minSamples") @JsonAlias("min_samples") @Nullable Long minSamples,
                @JsonProperty("maxLagMs") @JsonAlias("max_lag_ms") @Nullable Long maxLagMs,
                @JsonProperty("onBreach") @JsonAlias("on_breach") @Nullable String onBreach) {
            throw new UnsupportedOperationException("a mix-in's methods are never called");
        }
    }

    /** For clients, and so for their workers. Thread-safe. */
    public static DataConverter converter() {
        ObjectMapper mapper = JacksonJsonPayloadConverter.newDefaultObjectMapper()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .addMixIn(Gates.class, TypedGates.class)
                .setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL);
        return DefaultDataConverter.newDefaultInstance()
                .withPayloadConverterOverrides(new JacksonJsonPayloadConverter(mapper));
    }
}
