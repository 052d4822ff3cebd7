package dev.eden.api.trace;

import dev.eden.workflows.Correlation;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Spans of what Eden does, off unless {@code server.traces_endpoint} names a collector that takes OTLP over HTTP. The span a thread works under stands in
 * the logging context as W3C's {@value #KEY}: log lines carry it, and so it travels with the request's id to workflows and activities.
 * Thread-safe.
 */
public final class Traces implements AutoCloseable {
    public static final String KEY = Correlation.TRACEPARENT;

    private static final Pattern PARENT = Pattern.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})");

    private final Tracer tracer;
    private final SpanIds ids;
    private final @Nullable SdkTracerProvider provider;

    private Traces(TracerProvider tracers, SpanIds ids, @Nullable SdkTracerProvider provider) {
        this.ids = ids;
        this.tracer = tracers.get("dev.eden");
        this.provider = provider;
    }

    /** {@code endpoint} null: off. */
    public static Traces of(@Nullable String endpoint, String service) {
        if (endpoint == null) {
            return new Traces(TracerProvider.noop(), new SpanIds(), null);
        }
        String base = endpoint.strip().replaceFirst("/+$", "");
        return to(
                OtlpHttpSpanExporter.builder().setEndpoint(base + "/v1/traces").build(), service);
    }

    static Traces to(SpanExporter exporter, String service) {
        SpanIds ids = new SpanIds();
        SdkTracerProvider provider = SdkTracerProvider.builder()
                .setIdGenerator(ids)
                .setResource(Resource.getDefault()
                        .merge(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), service))))
                .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
                .build();
        return new Traces(provider, ids, provider);
    }

    public boolean on() {
        return provider != null;
    }

    /** Begins a span under the one this thread works under, and makes it that until {@link Open#close}, on the same thread. */
    public Open open(String name, SpanKind kind, Map<String, String> attributes) {
        String before = MDC.get(KEY);
        Span span = tracer.spanBuilder(name)
                .setSpanKind(kind)
                .setParent(parent(before))
                .setAllAttributes(attributes(attributes))
                .startSpan();
        if (on()) {
            MDC.put(KEY, text(span.getSpanContext()));
        }
        return new Open(span, before);
    }

    /** A span that has ended, by the wall clock, under {@code parent}. */
    public void past(Open parent, String name, long fromMicros, long toMicros, Map<String, String> attributes) {
        tracer.spanBuilder(name)
                .setParent(Context.root().with(parent.span))
                .setStartTimestamp(fromMicros, TimeUnit.MICROSECONDS)
                .setAllAttributes(attributes(attributes))
                .startSpan()
                .end(Math.max(fromMicros, toMicros), TimeUnit.MICROSECONDS);
    }

    /**
     * The same, under {@code parent} and with the id of {@code span}, both as {@value #KEY}: others may hang under it already.
     *
     * @param span as {@link #under} says it
     */
    void past(
            @Nullable String parent,
            String span,
            String name,
            SpanKind kind,
            long fromMicros,
            long toMicros,
            Map<String, String> attributes) {
        Matcher chosen = PARENT.matcher(span);
        if (chosen.matches()) {
            ids.with(
                    chosen.group(2),
                    () -> tracer.spanBuilder(name)
                            .setSpanKind(kind)
                            .setParent(parent(parent))
                            .setStartTimestamp(fromMicros, TimeUnit.MICROSECONDS)
                            .setAllAttributes(attributes(attributes))
                            .startSpan()
                            .end(Math.max(fromMicros, toMicros), TimeUnit.MICROSECONDS));
        }
    }

    /** A span under {@code parent}, known by {@code seed} wherever it is made; null where there is no parent. */
    static @Nullable String under(@Nullable String parent, String seed) {
        Matcher matcher = PARENT.matcher(parent == null ? "" : parent);
        return matcher.matches()
                ? "00-" + matcher.group(1) + "-" + SpanIds.of(matcher.group(1) + "/" + seed) + "-" + matcher.group(3)
                : null;
    }

    /** Sends what is left, for a second at most. */
    @Override
    public void close() {
        SdkTracerProvider running = provider;
        if (running != null) {
            running.shutdown().join(1, TimeUnit.SECONDS);
        }
    }

    private static Context parent(@Nullable String text) {
        if (text == null) {
            return Context.root();
        }
        Matcher matcher = PARENT.matcher(text);
        return matcher.matches()
                ? Context.root()
                        .with(Span.wrap(SpanContext.createFromRemoteParent(
                                matcher.group(1),
                                matcher.group(2),
                                TraceFlags.fromHex(matcher.group(3), 0),
                                TraceState.getDefault())))
                : Context.root();
    }

    private static String text(SpanContext span) {
        return "00-" + span.getTraceId() + "-" + span.getSpanId() + "-"
                + span.getTraceFlags().asHex();
    }

    private static Attributes attributes(Map<String, String> values) {
        var builder = Attributes.builder();
        values.forEach(builder::put);
        return builder.build();
    }

    /** A running span. */
    public static final class Open implements AutoCloseable {
        private final Span span;
        private final @Nullable String before;

        private Open(Span span, @Nullable String before) {
            this.span = span;
            this.before = before;
        }

        public void name(String name) {
            span.updateName(name);
        }

        public void attribute(String key, String value) {
            span.setAttribute(key, value);
        }

        /** Says only what kind of failure it was: a message may hold what a client sent. */
        public void failed(String kind) {
            span.setStatus(StatusCode.ERROR, kind);
        }

        @Override
        public void close() {
            span.end();
            if (before == null) {
                MDC.remove(KEY);
            } else {
                MDC.put(KEY, before);
            }
        }
    }
}
