package dev.eden.api.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.activity.CutoverActivities.AttemptResult;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** One trace from a request to each proxy's part of a flip, over threads and processes. */
class TracesTest {
    private final List<SpanData> ended = new CopyOnWriteArrayList<>();

    @AfterEach
    void leaveNothing() {
        MDC.clear();
    }

    @Test
    void aFlipIsOneTraceFromTheRequestToEachProxy() throws Exception {
        String report = "{\"holdAtMicros\": 5000000, \"steps\": [{\"name\": \"check\", \"micros\": 1000}, {\"name\":"
                + " \"prepare\", \"micros\": 2000}, {\"name\": \"commit\", \"micros\": 3000}], \"proxies\":"
                + " [{\"proxy\": \"p1\", \"interlay\": \"i\", \"acknowledgedAtMicros\": {\"ARMED\": 4000000,"
                + " \"DRAINED\": 5003000, \"OPENED\": 5006000}}]}";
        Traces traces = Traces.to(new Collector(), "test");
        Map<String, String> far;
        try (Traces.Open _ = traces.open("POST /migrations/{id}/cutover", SpanKind.SERVER, Map.of())) {
            MDC.put(RequestId.KEY, "r1");
            RequestPropagator propagator = new RequestPropagator();
            Object carried = propagator.deserializeContext(propagator.serializeContext(propagator.getCurrentContext()));
            Thread other = new Thread(() -> {
                propagator.setCurrentContext(carried);
                try (Traces.Open attempt = traces.open("Attempt", SpanKind.CONSUMER, Map.of())) {
                    new FlipSpans(traces, id -> id == 7 ? Optional.of(report) : Optional.empty())
                            .of(attempt, new AttemptResult("committed", List.of(), 6_000, "7"));
                }
            });
            other.start();
            other.join();
            far = RequestId.context();
        }
        traces.close();
        assertThat(far).containsEntry(RequestId.KEY, "r1");
        assertThat(ended.stream().map(SpanData::getTraceId).distinct()).hasSize(1);
        SpanData attempt = named("Attempt");
        assertThat(attempt.getParentSpanId())
                .isEqualTo(named("POST /migrations/{id}/cutover").getSpanId());
        assertThat(named("cutover.prepare").getParentSpanId()).isEqualTo(attempt.getSpanId());
        assertThat(named("cutover.prepare").getStartEpochNanos()).isEqualTo(TimeUnit.MICROSECONDS.toNanos(5_000_000));
        assertThat(named("cutover.check").getEndEpochNanos()).isEqualTo(TimeUnit.MICROSECONDS.toNanos(5_000_000));
        assertThat(named("proxy.drain").getEndEpochNanos()).isEqualTo(TimeUnit.MICROSECONDS.toNanos(5_003_000));
        assertThat(named("proxy.open").getAttributes().asMap().values()).contains("p1", "i");
    }

    @Test
    void withoutACollectorNothingIsSentAndNoLineIsLonger() {
        try (Traces off = Traces.of(null, "test");
                Traces.Open span = off.open("GET /", SpanKind.SERVER, Map.of())) {
            span.attribute("a", "b");
            assertThat(off.on()).isFalse();
            assertThat(MDC.get(Traces.KEY)).isNull();
        }
    }

    @Test
    void whatCallersSendIsHeldAgainstItsForm() {
        assertThat(RequestId.of("abc-1.2_3")).isEqualTo("abc-1.2_3");
        assertThat(RequestId.of("a b")).isNotEqualTo("a b");
        assertThat(RequestId.of("x".repeat(65))).hasSize(36);
        assertThat(Traces.valid("00-" + "a".repeat(32) + "-" + "b".repeat(16) + "-01"))
                .isTrue();
        assertThat(Traces.valid("00-zz\n")).isFalse();
        assertThat(RequestIdFilter.template("/api/v1/migrations/secret/interlay/front"))
                .isEqualTo("/migrations/{id}/interlay/{id}");
        assertThat(RequestIdFilter.template("endpoints")).isEqualTo("/endpoints");
    }

    private SpanData named(String name) {
        return ended.stream()
                .filter(span -> span.getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not among " + ended));
    }

    private final class Collector implements SpanExporter {
        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            ended.addAll(spans);
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}
