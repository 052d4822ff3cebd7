package dev.eden.workflows;

import static org.awaitility.Awaitility.await;

import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CleanupActivities;
import dev.eden.workflows.activity.CutoverActivities;
import dev.eden.workflows.activity.DirectoryActivities;
import dev.eden.workflows.activity.Failures;
import dev.eden.workflows.activity.PreparationActivities;
import dev.eden.workflows.activity.ReplicationActivities;
import dev.eden.workflows.activity.ValidationActivities;
import dev.eden.workflows.worker.MigrationActivities;
import io.temporal.activity.Activity;
import io.temporal.client.ActivityCompletionException;
import io.temporal.failure.ApplicationFailure;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;

/** Activities without servers: what they answer is set by the test, what they were asked is kept for it. */
final class FakeWorld
        implements PreparationActivities,
                ReplicationActivities,
                ValidationActivities,
                CanaryActivities,
                CutoverActivities,
                CleanupActivities,
                DirectoryActivities {
    final List<PhaseRecord> records = new CopyOnWriteArrayList<>();
    final List<CanaryRequest> applied = new CopyOnWriteArrayList<>();
    final List<CanaryRequest> watched = new CopyOnWriteArrayList<>();
    final List<AttemptRequest> attempts = new CopyOnWriteArrayList<>();
    final List<AttemptRequest> settled = new CopyOnWriteArrayList<>();
    final List<CleanupRequest> cleanups = new CopyOnWriteArrayList<>();
    final List<String> calls = new CopyOnWriteArrayList<>();
    final AtomicInteger replicating = new AtomicInteger();
    final AtomicInteger replicationStarts = new AtomicInteger();
    final AtomicInteger watching = new AtomicInteger();
    final AtomicInteger ownerWatches = new AtomicInteger();
    final AtomicInteger validations = new AtomicInteger();

    volatile List<Finding> findings = List.of();
    volatile String prepareFailure = "";
    volatile String validationFailure = "";
    volatile boolean caughtUp = true;
    volatile boolean validationBlocked;
    /** Whether the last comparison was to repair. */
    volatile boolean repaired;

    volatile String replicationFailure = "";
    volatile String lostLog = "";

    /** Found by a replication that is being cancelled. */
    volatile String lostWhenCancelled = "";

    volatile String breach = "";
    volatile String ownerBreach = "";
    volatile String watchFailure = "";

    /** False: no stage passes by itself. */
    volatile boolean enoughSamples = true;

    volatile String applyFailure = "";
    /** Said to be done only when no longer so. */
    volatile boolean applyBlocked;

    volatile String cleanupFailure = "";
    volatile boolean attemptBlocked;

    /** An attempt that starts meanwhile neither heartbeats nor answers before this is false again. */
    volatile boolean attemptSilent;

    volatile Readiness readiness = new Readiness(true, List.of());
    /** Not answered while so. */
    volatile boolean readinessBlocked;

    volatile AttemptResult settleResult = aborted("settled");
    volatile int recordFailures;

    private final Deque<Long> remaining = new ArrayDeque<>();
    private final Deque<Function<AttemptRequest, AttemptResult>> outcomes = new ArrayDeque<>();

    static AttemptResult committed() {
        return new AttemptResult("committed", List.of(), 12_345L, "report");
    }

    static AttemptResult aborted(String blocker) {
        return new AttemptResult("aborted", List.of(blocker), 0L, "report");
    }

    static AttemptResult refused(String blocker) {
        return new AttemptResult("refused", List.of(blocker), 0L, "");
    }

    MigrationActivities activities() {
        return new MigrationActivities(
                as(PreparationActivities.class),
                as(ReplicationActivities.class),
                as(ValidationActivities.class),
                as(CanaryActivities.class),
                as(CutoverActivities.class),
                as(CleanupActivities.class),
                as(DirectoryActivities.class));
    }

    /** Only one of the interfaces: a worker registers every one that its object has. */
    <T> T as(Class<T> face) {
        return face.cast(Proxy.newProxyInstance(
                FakeWorld.class.getClassLoader(), new Class<?>[] {face}, (_, method, arguments) -> {
                    try {
                        return method.invoke(this, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    /** Differences that stay, one number for each of the next comparisons; 0 afterwards. */
    synchronized void remaining(long... numbers) {
        for (long number : numbers) {
            remaining.add(number);
        }
    }

    /** What the next attempt answers; committed when nothing is set. */
    synchronized void next(Function<AttemptRequest, AttemptResult> outcome) {
        outcomes.add(outcome);
    }

    @Override
    public Preflight preflight(MigrationSpec spec) {
        calls.add("preflight");
        return new Preflight(findings);
    }

    @Override
    public CopyForecast forecast(MigrationSpec spec) {
        return new CopyForecast(1_000, 50_000, 0.5, "as the test has it");
    }

    @Override
    public void prepare(MigrationSpec spec) {
        calls.add("prepare");
        if (!prepareFailure.isEmpty()) {
            throw new IllegalStateException(prepareFailure);
        }
    }

    @Override
    public void replicate(MigrationSpec spec) {
        calls.add("replicate");
        replicationStarts.incrementAndGet();
        replicating.incrementAndGet();
        try {
            heartbeatUntil(() -> {
                String failure = replicationFailure;
                if (!failure.isEmpty()) {
                    replicationFailure = "";
                    throw ApplicationFailure.newFailure(failure, Failures.REPLICATION_STOPPED);
                }
                String lost = lostLog;
                if (!lost.isEmpty()) {
                    lostLog = "";
                    throw ApplicationFailure.newNonRetryableFailure(lost, Failures.LOADED_AGAIN);
                }
                return false;
            });
        } catch (ActivityCompletionException cancelled) {
            String lost = lostWhenCancelled;
            if (lost.isEmpty()) {
                throw cancelled;
            }
            lostWhenCancelled = "";
            throw ApplicationFailure.newNonRetryableFailure(lost, Failures.LOADED_AGAIN);
        } finally {
            replicating.decrementAndGet();
        }
    }

    @Override
    public ReplicationStatus awaitCaughtUp(CaughtUpRequest request) {
        calls.add("awaitCaughtUp");
        heartbeatUntil(() -> caughtUp);
        return new ReplicationStatus("streaming", 10, 10, 100, 1, 0, 1);
    }

    @Override
    public ValidationSummary validate(ValidationRequest request) {
        calls.add("validate");
        repaired = request.repair();
        validations.incrementAndGet();
        if (!validationFailure.isEmpty()) {
            throw new IllegalStateException(validationFailure);
        }
        heartbeatUntil(() -> !validationBlocked);
        Long left;
        synchronized (this) {
            left = remaining.poll();
        }
        return new ValidationSummary(10, left == null ? 0 : left, 0, left == null ? 0 : left, "report");
    }

    @Override
    public void apply(CanaryRequest request) {
        calls.add("apply");
        if (!applyFailure.isEmpty()) {
            throw ApplicationFailure.newFailure(applyFailure, Failures.PRECONDITION_FAILED);
        }
        await().atMost(Duration.ofSeconds(9)).until(() -> !applyBlocked);
        applied.add(request);
    }

    @Override
    public CanaryVerdict watch(CanaryRequest request) {
        watching.incrementAndGet();
        try {
            watched.add(request);
            heartbeatUntil(() -> !breach.isEmpty()
                    || !watchFailure.isEmpty()
                    || (request.bakedAtMillis() > 0
                            && enoughSamples
                            && System.currentTimeMillis() >= request.bakedAtMillis()));
        } finally {
            watching.decrementAndGet();
        }
        String failure = watchFailure;
        if (!failure.isEmpty()) {
            watchFailure = "";
            throw ApplicationFailure.newNonRetryableFailure(failure, Failures.PRECONDITION_FAILED);
        }
        if (breach.isEmpty()) {
            return new CanaryVerdict(false, "passed: 0 of 500 reads failed", true);
        }
        String reason = breach;
        breach = "";
        return new CanaryVerdict(true, reason);
    }

    @Override
    public CanaryVerdict watchOwner(CanaryRequest request) {
        ownerWatches.incrementAndGet();
        heartbeatUntil(() -> !ownerBreach.isEmpty());
        String reason = ownerBreach;
        ownerBreach = "";
        return new CanaryVerdict(true, reason);
    }

    @Override
    public Readiness readiness(AttemptRequest request) {
        calls.add("readiness");
        await().atMost(Duration.ofSeconds(4)).until(() -> !readinessBlocked);
        return readiness;
    }

    @Override
    public Readiness awaitReadiness(AttemptRequest request) {
        throw new IllegalStateException("no workflow waits for that");
    }

    @Override
    public Rehearsal rehearse(MigrationSpec spec) {
        throw new IllegalStateException("no workflow rehearses");
    }

    @Override
    public AttemptResult attempt(AttemptRequest request) {
        calls.add("attempt");
        attempts.add(request);
        if (attemptSilent) {
            await().atMost(Duration.ofSeconds(30)).until(() -> !attemptSilent);
            return committed();
        }
        heartbeatUntil(() -> !attemptBlocked);
        Function<AttemptRequest, AttemptResult> outcome;
        synchronized (this) {
            outcome = outcomes.poll();
        }
        return outcome == null ? committed() : outcome.apply(request);
    }

    @Override
    public AttemptResult settle(AttemptRequest request) {
        calls.add("settle");
        settled.add(request);
        return settleResult;
    }

    @Override
    public void cleanUp(CleanupRequest request) {
        calls.add("cleanUp");
        cleanups.add(request);
        if (!cleanupFailure.isEmpty()) {
            throw ApplicationFailure.newFailure(cleanupFailure, Failures.CLEANUP_INCOMPLETE);
        }
    }

    @Override
    public synchronized Glance record(PhaseRecord record) {
        if (recordFailures > 0) {
            recordFailures--;
            throw new IllegalStateException("the store is away");
        }
        if (records.stream().noneMatch(earlier -> earlier.revision() == record.revision())) {
            records.add(record);
        }
        return new Glance(12L, "https://eden.example/api/v1/migrations/" + record.migration() + "/status");
    }

    List<String> phases() {
        return records.stream().map(PhaseRecord::phase).toList();
    }

    List<Double> shares() {
        return applied.stream()
                .map(request -> request.strategy().readPercentage())
                .toList();
    }

    /** Who had to acknowledge a write, for each of the shares. */
    List<String> acks() {
        return applied.stream()
                .map(request -> request.strategy().writeMode().ack())
                .toList();
    }

    /** Heartbeats until the condition holds; ends with the SDK's exception when it is cancelled. */
    @SuppressWarnings("BusyWait") // an activity that polls is what is played here
    private static void heartbeatUntil(Supplier<Boolean> condition) throws ActivityCompletionException {
        while (!condition.get()) {
            Activity.getExecutionContext().heartbeat(null);
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("worker shut down", e);
            }
        }
    }
}
