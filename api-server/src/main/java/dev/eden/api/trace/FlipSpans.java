package dev.eden.api.trace;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.workflows.activity.CutoverActivities.AttemptResult;
import dev.eden.workflows.activity.CutoverActivities.Rehearsal;
import io.opentelemetry.api.trace.SpanKind;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The spans of one attempt or rehearsal, from its report: each step of the coordinator, and of each proxy from the hold to its drain, from there to where
 * its listeners listen on the other server (where it has any), and to its opening. Proxies measure by their own clocks and speak to the store only, so that no exporter is near a held request.
 */
public final class FlipSpans {
    private static final Logger LOGGER = LoggerFactory.getLogger(FlipSpans.class);

    private final Traces traces;
    private final Function<Long, Optional<String>> reports;

    /** @param reports the report of an attempt, as JSON */
    public FlipSpans(Traces traces, Function<Long, Optional<String>> reports) {
        this.traces = traces;
        this.reports = reports;
    }

    /** A rehearsal is no activity: it runs in the thread of the request. */
    public Rehearsal rehearsed(Supplier<Rehearsal> rehearse) {
        try (Traces.Open span = traces.open("Rehearsal", SpanKind.INTERNAL, Map.of())) {
            try {
                Rehearsal ended = rehearse.get();
                told(span, ended.outcome(), () -> Optional.of(ended.reportJson()));
                return ended;
            } catch (RuntimeException e) {
                span.failed(e.getClass().getSimpleName());
                throw e;
            }
        }
    }

    void of(Traces.Open attempt, @Nullable Object result) {
        if (result instanceof AttemptResult ended) {
            told(attempt, ended.outcome(), () -> reports.apply(Long.parseLong(ended.reportId())));
        }
    }

    private void told(Traces.Open attempt, String outcome, Supplier<Optional<String>> report) {
        if (!traces.on()) {
            return;
        }
        try {
            attempt.attribute("eden.outcome", outcome);
            report.get().ifPresent(json -> report(attempt, Json.tree(json)));
        } catch (RuntimeException e) {
            LOGGER.atDebug().setCause(e).log("no spans for an attempt");
        }
    }

    private void report(Traces.Open attempt, JsonNode report) {
        long hold = report.path("holdAtMicros").asLong();
        if (hold == 0) {
            return;
        }
        long at = hold;
        for (JsonNode step : report.path("steps")) {
            if (step.path("name").asText().equals("prepare")) {
                break;
            }
            at -= step.path("micros").asLong();
        }
        for (JsonNode step : report.path("steps")) {
            long end = at + step.path("micros").asLong();
            traces.past(attempt, "cutover." + step.path("name").asText(), at, end, Map.of());
            at = end;
        }
        for (JsonNode proxy : report.path("proxies")) {
            Map<String, String> who = Map.of(
                    "eden.proxy", proxy.path("proxy").asText(),
                    "eden.interlay", proxy.path("interlay").asText());
            long drained = proxy.path("acknowledgedAtMicros").path("DRAINED").asLong();
            long carried = proxy.path("acknowledgedAtMicros").path("CARRIED").asLong();
            long opened = proxy.path("acknowledgedAtMicros").path("OPENED").asLong();
            if (drained > 0) {
                traces.past(attempt, "proxy.drain", hold, drained, who);
            }
            if (drained > 0 && carried > 0) {
                traces.past(attempt, "proxy.carry", drained, carried, who);
            }
            if (drained > 0 && opened > 0) {
                traces.past(attempt, "proxy.open", Math.max(drained, carried), opened, who);
            }
        }
    }
}
