package dev.eden.workflows;

import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CleanupActivities;
import dev.eden.workflows.activity.CutoverActivities;
import dev.eden.workflows.activity.DirectoryActivities;
import dev.eden.workflows.activity.Failures;
import dev.eden.workflows.activity.PreparationActivities;
import dev.eden.workflows.activity.ReplicationActivities;
import dev.eden.workflows.activity.ValidationActivities;
import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityOptions;
import io.temporal.common.RetryOptions;
import io.temporal.workflow.Workflow;
import java.time.Duration;

/**
 * The workflow's activities with their queues, time limits and retries. A heartbeat timeout of a few seconds is what finds a
 * dead worker; the limits from start to close are only a last resort.
 */
final class Steps {
    private static final String[] FOR_GOOD = {Failures.PRECONDITION_FAILED, Failures.REPLICATION_STOPPED};

    private static final RetryOptions UNTIL_DECIDED = RetryOptions.newBuilder()
            .setInitialInterval(Duration.ofMillis(500))
            .setBackoffCoefficient(2)
            .setMaximumInterval(Duration.ofSeconds(10))
            .setDoNotRetry(FOR_GOOD)
            .build();

    private static final RetryOptions FOR_EVER = RetryOptions.newBuilder()
            .setInitialInterval(Duration.ofMillis(200))
            .setBackoffCoefficient(2)
            .setMaximumInterval(Duration.ofSeconds(5))
            .build();

    private static final RetryOptions ONCE =
            RetryOptions.newBuilder().setMaximumAttempts(1).build();

    private static final Duration AS_LONG_AS_IT_LIVES = Duration.ofDays(3_650);
    private static final Duration WORKER_DEAD = Duration.ofSeconds(10);

    private Steps() {}

    /** However many objects the source has. {@code attempts} that fail are the end of it. */
    static PreparationActivities preparation(String summary, int attempts) {
        return Workflow.newActivityStub(
                PreparationActivities.class,
                data(summary, AS_LONG_AS_IT_LIVES)
                        .setRetryOptions(untilDecided(attempts))
                        .build());
    }

    static ReplicationActivities replication(String summary) {
        return Workflow.newActivityStub(
                ReplicationActivities.class, data(summary, AS_LONG_AS_IT_LIVES).build());
    }

    /** One activity for all its attempts: each goes on where the last had come to. */
    static ValidationActivities validation(String summary, int attempts) {
        return Workflow.newActivityStub(
                ValidationActivities.class,
                data(summary, AS_LONG_AS_IT_LIVES)
                        .setRetryOptions(untilDecided(attempts))
                        .build());
    }

    /** Watching reads and changes nothing: nobody waits for its end. */
    static CanaryActivities watch(String summary) {
        return Workflow.newActivityStub(
                CanaryActivities.class,
                data(summary, AS_LONG_AS_IT_LIVES)
                        .setCancellationType(ActivityCancellationType.TRY_CANCEL)
                        .build());
    }

    /** On the queue of the cutover: a share must go to 0 though every data mover is busy. */
    static CanaryActivities share(String summary) {
        return Workflow.newActivityStub(
                CanaryActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(TaskQueues.CUTOVER)
                        .setStartToCloseTimeout(Duration.ofSeconds(10))
                        .setRetryOptions(UNTIL_DECIDED)
                        .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
                        .setSummary(summary)
                        .build());
    }

    static CutoverActivities readiness(String summary) {
        return Workflow.newActivityStub(
                CutoverActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(TaskQueues.CUTOVER)
                        .setStartToCloseTimeout(Duration.ofSeconds(15))
                        .setRetryOptions(UNTIL_DECIDED)
                        .setSummary(summary)
                        .build());
    }

    /** One try: whether there is another is the workflow's decision, after {@link #settle}. */
    static CutoverActivities attempt(String summary) {
        return Workflow.newActivityStub(
                CutoverActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(TaskQueues.CUTOVER)
                        .setScheduleToStartTimeout(Duration.ofSeconds(30))
                        .setStartToCloseTimeout(Duration.ofMinutes(5))
                        .setHeartbeatTimeout(Duration.ofSeconds(5))
                        .setRetryOptions(ONCE)
                        .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
                        .setSummary(summary)
                        .build());
    }

    static CutoverActivities settle(String summary) {
        return Workflow.newActivityStub(
                CutoverActivities.class,
                tirelessly(summary, Duration.ofMinutes(5)).build());
    }

    /** {@code attempts}: 0 for as many as it takes. */
    static CleanupActivities cleanup(String summary, int attempts) {
        return Workflow.newActivityStub(
                CleanupActivities.class,
                tirelessly(summary, Duration.ofHours(1))
                        .setRetryOptions(RetryOptions.newBuilder(FOR_EVER)
                                .setMaximumAttempts(attempts)
                                .build())
                        .build());
    }

    /**
     * Beside the workflow, but no local activity: one that ran in a workflow task that was then lost is run again, perhaps after
     * other commands, and would give one revision two meanings.
     */
    static DirectoryActivities directory(String summary) {
        return Workflow.newActivityStub(
                DirectoryActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(TaskQueues.ORCHESTRATOR)
                        .setStartToCloseTimeout(Duration.ofSeconds(5))
                        .setRetryOptions(FOR_EVER)
                        .setSummary(summary)
                        .build());
    }

    private static RetryOptions untilDecided(int attempts) {
        return RetryOptions.newBuilder(UNTIL_DECIDED)
                .setMaximumAttempts(attempts)
                .build();
    }

    private static ActivityOptions.Builder data(String summary, Duration limit) {
        return ActivityOptions.newBuilder()
                .setTaskQueue(TaskQueues.DATA)
                .setStartToCloseTimeout(limit)
                .setHeartbeatTimeout(WORKER_DEAD)
                .setRetryOptions(UNTIL_DECIDED)
                .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
                .setSummary(summary);
    }

    private static ActivityOptions.Builder tirelessly(String summary, Duration limit) {
        return ActivityOptions.newBuilder()
                .setTaskQueue(TaskQueues.CUTOVER)
                .setStartToCloseTimeout(limit)
                .setHeartbeatTimeout(WORKER_DEAD)
                .setRetryOptions(FOR_EVER)
                .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
                .setSummary(summary);
    }
}
