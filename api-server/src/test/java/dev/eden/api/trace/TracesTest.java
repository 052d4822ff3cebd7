package dev.eden.api.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.api.FakeActivities;
import dev.eden.api.temporal.Orchestrator;
import dev.eden.workflows.Command;
import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.Correlation;
import dev.eden.workflows.MigrationOutcome;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.MigrationView;
import dev.eden.workflows.MigrationWorkflow;
import dev.eden.workflows.MigrationWorkflowImpl;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.CutoverActivities.Rehearsal;
import dev.eden.workflows.worker.MigrationWorkers;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.testing.WorkflowReplayer;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** One trace from a request to each proxy's part of a flip, over threads and processes. */
class TracesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final List<SpanData> ended = new CopyOnWriteArrayList<>();

    @AfterEach
    void leaveNothing() {
        MDC.clear();
    }

    @Test
    void aFlipIsOneTraceFromTheRequestThatAskedForItToEachProxy() throws Exception {
        String report = "{\"holdAtMicros\": 5000000, \"steps\": [{\"name\": \"check\", \"micros\": 1000}, {\"name\":"
                + " \"prepare\", \"micros\": 2000}, {\"name\": \"commit\", \"micros\": 3000}], \"proxies\":"
                + " [{\"proxy\": \"p1\", \"interlay\": \"i\", \"acknowledgedAtMicros\": {\"ARMED\": 4000000,"
                + " \"DRAINED\": 5003000, \"CARRIED\": 5005000, \"OPENED\": 5006000}}]}";
        FakeActivities steps = new FakeActivities();
        Traces traces = Traces.to(new Collector(), "test");
        FlipSpans flips = new FlipSpans(traces, id -> id == 1 ? Optional.of(report) : Optional.empty());
        try (TestWorkflowEnvironment temporal = environment(traces, flips)) {
            MigrationWorkers.register(temporal.getWorkerFactory(), steps.with(_ -> null), null);
            temporal.start();
            WorkflowClient client = temporal.getWorkflowClient();
            Orchestrator orchestrator = new Orchestrator(client, () -> false, PATIENCE, PATIENCE);
            asked(traces, "migrate", () -> orchestrator.start(spec(), () -> {}));
            until(orchestrator, view -> view.phase() instanceof MigrationPhase.Canary && view.readyForCutover());
            asked(traces, "cutover", () -> orchestrator.send("m", new Command(Kind.CUTOVER, "c1", "ada", "", null)));
            until(orchestrator, view -> view.phase() instanceof MigrationPhase.Baking);
            asked(traces, "rollback", () -> orchestrator.send("m", new Command(Kind.ROLLBACK, "c2", "ada", "", null)));
            until(orchestrator, view -> view.phase() instanceof MigrationPhase.Canary && view.readyForCutover());
            // From Temporal's own tools: no request is known, and what it causes is the starter's as ever.
            client.newUntypedWorkflowStub(MigrationWorkflow.workflowId("m"))
                    .signal("cutover", Map.of("actor", "kim", "traceparent", "not one", "request", "no\nid"));
            until(orchestrator, view -> view.phase() instanceof MigrationPhase.Baking);
            asked(traces, "finalize", () -> orchestrator.send("m", new Command(Kind.FINALIZE, "c3", "ada", "", null)));
            client.newUntypedWorkflowStub(MigrationWorkflow.workflowId("m")).getResult(MigrationOutcome.class);
            replayed(client.fetchHistory(MigrationWorkflow.workflowId("m")), traces, flips);
        } finally {
            traces.close();
        }
        assertThat(steps.attemptsFor()).containsExactly("cutover", "rollback", "migrate");
        for (String request : List.of("cutover", "rollback")) {
            assertThat(names(request))
                    .as("the trace of " + request)
                    .contains("Attempt", "cutover.check", "cutover.prepare", "cutover.commit", "proxy.drain")
                    .contains("proxy.carry", "proxy.open", "Record")
                    .doesNotContain("Preflight", "Replicate");
            SpanData attempt = inTraceOf(request, "Attempt");
            SpanData command = inTraceOf(request, "Migration." + request);
            assertThat(command.getParentSpanId()).isEqualTo(named(request).getSpanId());
            assertThat(attempt.getParentSpanId()).isEqualTo(command.getSpanId());
            assertThat(inTraceOf(request, "cutover.prepare").getParentSpanId()).isEqualTo(attempt.getSpanId());
        }
        assertThat(names("migrate")).contains("Preflight").containsOnlyOnce("Attempt");
        SpanData run = inTraceOf("migrate", "Migration");
        assertThat(run.getParentSpanId()).isEqualTo(named("migrate").getSpanId());
        assertThat(inTraceOf("migrate", "Preflight").getParentSpanId()).isEqualTo(run.getSpanId());
        assertThat(inTraceOf("migrate", "Attempt").getParentSpanId()).isEqualTo(run.getSpanId());
        assertThat(ended.stream().map(SpanData::getSpanId))
                .as("a replay sends nothing again")
                .doesNotHaveDuplicates();
        assertThat(inTraceOf("cutover", "proxy.carry").getEndEpochNanos())
                .isEqualTo(inTraceOf("cutover", "proxy.open").getStartEpochNanos())
                .isEqualTo(TimeUnit.MICROSECONDS.toNanos(5_005_000));
        SpanData prepare = inTraceOf("cutover", "cutover.prepare");
        assertThat(prepare.getStartEpochNanos()).isEqualTo(TimeUnit.MICROSECONDS.toNanos(5_000_000));
        assertThat(inTraceOf("cutover", "cutover.check").getEndEpochNanos())
                .isEqualTo(TimeUnit.MICROSECONDS.toNanos(5_000_000));
        assertThat(inTraceOf("cutover", "proxy.drain").getEndEpochNanos())
                .isEqualTo(TimeUnit.MICROSECONDS.toNanos(5_003_000));
        assertThat(inTraceOf("cutover", "proxy.open").getAttributes().asMap().values())
                .contains("p1", "i");
    }

    /** What a workflow decided without spans, it decides with them. */
    @Test
    void keptHistoriesReplayUnderSpans() throws Exception {
        try (Traces traces = Traces.to(new Collector(), "test");
                Stream<Path> files = Files.list(Path.of("../workflows/src/test/resources/histories"))) {
            FlipSpans flips = new FlipSpans(traces, _ -> Optional.empty());
            List<Path> histories =
                    files.filter(file -> file.toString().endsWith(".json")).toList();
            assertThat(histories).hasSizeGreaterThan(5);
            for (Path history : histories) {
                replayed(WorkflowExecutionHistory.fromJson(Files.readString(history)), traces, flips);
            }
        }
    }

    private static void replayed(WorkflowExecutionHistory history, Traces traces, FlipSpans flips) throws Exception {
        try (TestWorkflowEnvironment again = environment(traces, flips)) {
            var worker = again.newWorker(
                    "replay",
                    WorkerOptions.newBuilder()
                            .setDefaultDeadlockDetectionTimeout(30_000)
                            .build());
            worker.registerWorkflowImplementationTypes(MigrationWorkflowImpl.class);
            WorkflowReplayer.replayWorkflowExecution(history, worker);
        }
    }

    @Test
    void aRehearsalHasItsStepsUnderTheRequest() {
        Traces traces = Traces.to(new Collector(), "test");
        FlipSpans flips = new FlipSpans(traces, _ -> Optional.empty());
        Rehearsal rehearsal = new Rehearsal(
                "rehearsed",
                List.of(),
                2,
                "{\"holdAtMicros\": 5000000, \"steps\": [{\"name\": \"prepare\", \"micros\": 2}], \"proxies\": []}");
        asked(
                traces,
                "rehearse",
                () -> assertThat(flips.rehearsed(() -> rehearsal)).isSameAs(rehearsal));
        asked(
                traces,
                "failing",
                () -> assertThatThrownBy(() -> flips.rehearsed(() -> {
                            throw new IllegalStateException("no");
                        }))
                        .isInstanceOf(IllegalStateException.class));
        traces.close();
        assertThat(inTraceOf("rehearse", "Rehearsal").getParentSpanId())
                .isEqualTo(named("rehearse").getSpanId());
        assertThat(inTraceOf("rehearse", "cutover.prepare").getParentSpanId())
                .isEqualTo(inTraceOf("rehearse", "Rehearsal").getSpanId());
        assertThat(inTraceOf("failing", "Rehearsal").getStatus().getStatusCode())
                .isEqualTo(StatusCode.ERROR);
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
        assertThat(Correlation.isTraceparent("00-" + "a".repeat(32) + "-" + "b".repeat(16) + "-01"))
                .isTrue();
        assertThat(Correlation.isTraceparent("00-zz\n")).isFalse();
        assertThat(RequestIdFilter.template("/api/v1/migrations/secret/interlay/front"))
                .isEqualTo("/migrations/{id}/interlay/{id}");
        assertThat(RequestIdFilter.template("endpoints")).isEqualTo("/endpoints");
    }

    private static TestWorkflowEnvironment environment(Traces traces, FlipSpans flips) {
        return TestWorkflowEnvironment.newInstance(TestEnvironmentOptions.newBuilder()
                .setUseTimeskipping(false)
                .setWorkflowClientOptions(WorkflowClientOptions.newBuilder()
                        .setContextPropagators(List.of(new RequestPropagator()))
                        .build())
                .setWorkerFactoryOptions(WorkerFactoryOptions.newBuilder(MigrationWorkers.factoryOptions())
                        .setWorkerInterceptors(new ActivityTracing(traces, flips))
                        .build())
                .build());
    }

    private static MigrationSpec spec() {
        return new MigrationSpec(
                "m",
                "test",
                "redis",
                "blue",
                "green",
                List.of("front"),
                new Strategy(
                        Strategy.CANARY,
                        0.05,
                        "session",
                        5,
                        null,
                        new Strategy.WriteMode("dual_write", "old_authoritative", "source", null)),
                new MigrationSpec.Data("scan", "auto", "replace"),
                new MigrationSpec.Gates(0.01, -1, -1, 100, 100, "hold"),
                MigrationSpec.FailureHandling.NEEDS_OPERATOR,
                new MigrationSpec.CutoverBudget(100, 3),
                null);
    }

    /** As the REST layer does it: under a span and an id of the request, both of this name. */
    private static void asked(Traces traces, String name, Runnable work) {
        try (Traces.Open _ = traces.open(name, SpanKind.SERVER, Map.of())) {
            MDC.put(RequestId.KEY, name);
            work.run();
        } finally {
            MDC.clear();
        }
    }

    private static void until(Orchestrator orchestrator, Predicate<MigrationView> condition) {
        await().atMost(PATIENCE)
                .until(() -> orchestrator.view("m").filter(condition).isPresent());
    }

    private List<String> names(String request) {
        String trace = named(request).getTraceId();
        return ended.stream()
                .filter(span -> span.getTraceId().equals(trace))
                .map(SpanData::getName)
                .toList();
    }

    private SpanData inTraceOf(String request, String name) {
        String trace = named(request).getTraceId();
        return ended.stream()
                .filter(span ->
                        span.getTraceId().equals(trace) && span.getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not in the trace of " + request));
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
