package dev.eden.api;

import dev.eden.api.store.MigrationRecorder;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CleanupActivities;
import dev.eden.workflows.activity.CutoverActivities;
import dev.eden.workflows.activity.DirectoryActivities;
import dev.eden.workflows.activity.PreparationActivities;
import dev.eden.workflows.activity.ReplicationActivities;
import dev.eden.workflows.activity.ValidationActivities;
import dev.eden.workflows.worker.MigrationActivities;
import io.temporal.activity.Activity;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** A world where every step of a migration succeeds at once; the directory is the real one. */
public final class FakeActivities
        implements PreparationActivities,
                ReplicationActivities,
                ValidationActivities,
                CanaryActivities,
                CutoverActivities,
                CleanupActivities {
    /** What preflight finds next. */
    final AtomicReference<List<Finding>> findings = new AtomicReference<>(List.of());
    /** Blockers of the next attempts; empty: they commit. */
    final AtomicReference<List<String>> blockers = new AtomicReference<>(List.of());
    /** Shares that were applied, in order. */
    final List<Double> shares = new CopyOnWriteArrayList<>();

    /** Of each clean-up: whether what was copied goes too. */
    final List<Boolean> emptied = new CopyOnWriteArrayList<>();

    /** The requests on whose behalf preflights ran, as their logs would say. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    /** The same of attempts. */
    private final List<String> attemptsFor = new CopyOnWriteArrayList<>();

    public List<String> attemptsFor() {
        return List.copyOf(attemptsFor);
    }

    /** Runs inside the next preflights, where an operator's other requests may come in between. */
    final AtomicReference<Runnable> duringPreflight = new AtomicReference<>(() -> {});

    /** Of the store, whatever server runs: where what a cleanup leaves is written. */
    volatile @Nullable Jdbi directory;

    EdenServer.Activities.Opened open(EdenStore store, ServerOptions options) {
        return new EdenServer.Activities.Opened(
                with(new MigrationRecorder(
                        store.database().jdbi(),
                        store.audit(),
                        options.publicUrl(),
                        () -> Activity.getExecutionContext().getInfo().getWorkflowRunId())),
                List.of());
    }

    public MigrationActivities with(DirectoryActivities directory) {
        // A proxy of interfaces for each: one object may be registered once per activity interface only.
        return new MigrationActivities(
                as(PreparationActivities.class),
                as(ReplicationActivities.class),
                as(ValidationActivities.class),
                as(CanaryActivities.class),
                as(CutoverActivities.class),
                as(CleanupActivities.class),
                directory);
    }

    private <T> T as(Class<T> face) {
        return face.cast(java.lang.reflect.Proxy.newProxyInstance(
                FakeActivities.class.getClassLoader(), new Class<?>[] {face}, (_, method, arguments) -> {
                    try {
                        return method.invoke(this, arguments);
                    } catch (java.lang.reflect.InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    @Override
    public Preflight preflight(MigrationSpec spec) {
        requests.add(String.valueOf(MDC.get("request")));
        duringPreflight.get().run();
        return new Preflight(findings.get());
    }

    @Override
    public CopyForecast forecast(MigrationSpec spec) {
        return new CopyForecast(1_000, 50_000, 0.5, "as the test has it");
    }

    @Override
    public void prepare(MigrationSpec spec) {}

    @Override
    public void replicate(MigrationSpec spec) {
        untilCancelled();
    }

    @Override
    public ReplicationStatus awaitCaughtUp(CaughtUpRequest request) {
        return new ReplicationStatus("streaming", 1, 1, 1, 1, 0, 0);
    }

    @Override
    public ValidationSummary validate(ValidationRequest request) {
        return new ValidationSummary(1, 0, 0, 0, "r1");
    }

    @Override
    public void apply(CanaryRequest request) {
        shares.add(request.strategy().readPercentage());
    }

    @Override
    public CanaryVerdict watch(CanaryRequest request) {
        if (request.bakedAtMillis() > 0) {
            until(() -> System.currentTimeMillis() >= request.bakedAtMillis());
            return new CanaryVerdict(false, "passed: 0 of 500 reads failed", true);
        }
        until(() -> false);
        return new CanaryVerdict(false, "");
    }

    @Override
    public CanaryVerdict watchOwner(CanaryRequest request) {
        untilCancelled();
        return new CanaryVerdict(false, "");
    }

    @Override
    public Readiness readiness(AttemptRequest request) {
        return new Readiness(blockers.get().isEmpty(), blockers.get());
    }

    @Override
    public Readiness awaitReadiness(AttemptRequest request) {
        return readiness(request);
    }

    @Override
    public Rehearsal rehearse(MigrationSpec spec) {
        String outcome = blockers.get().isEmpty() ? "rehearsed" : "refused";
        return new Rehearsal(outcome, blockers.get(), 12_345, """
            {"attempt":1,"number":0,"migration":"%s","direction":"rehearsal","epoch":1,"outcome":"%s","blockers":[],
            "holdAtMicros":1,"openedAtMicros":12346,"pauseMicros":12345,"steps":[{"name":"drain","micros":900}],
            "proxies":[{"proxy":"p","interlay":"redis_interlay","acknowledgedAtMicros":{"OPENED":12346},"detail":"{}"}]}\
            """.formatted(spec.id(), outcome));
    }

    @Override
    public AttemptResult attempt(AttemptRequest request) {
        attemptsFor.add(String.valueOf(MDC.get("request")));
        return blockers.get().isEmpty()
                ? new AttemptResult("committed", List.of(), 1_000L, "1")
                : new AttemptResult("refused", blockers.get(), 0L, "1");
    }

    @Override
    public AttemptResult settle(AttemptRequest request) {
        return attempt(request);
    }

    @Override
    public void cleanUp(CleanupRequest request) {
        emptied.add(request.emptyTarget());
        Jdbi known = directory;
        if (known != null && request.completed()) {
            known.useHandle(h -> h.createUpdate("UPDATE interlay SET endpoint = :target WHERE id IN (<interlays>)")
                    .bind("target", request.spec().target())
                    .bindList("interlays", request.spec().interlays())
                    .execute());
        }
    }

    private static void untilCancelled() {
        until(() -> false);
    }

    private static void until(java.util.function.BooleanSupplier condition) {
        try {
            while (!condition.getAsBoolean()) {
                Activity.getExecutionContext().heartbeat(null);
                Thread.sleep(100);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
