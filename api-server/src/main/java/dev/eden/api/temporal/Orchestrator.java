package dev.eden.api.temporal;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.trace.RequestId;
import dev.eden.workflows.Command;
import dev.eden.workflows.CommandReceipt;
import dev.eden.workflows.CommandRefusal;
import dev.eden.workflows.Correlation;
import dev.eden.workflows.MigrationInput;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.MigrationView;
import dev.eden.workflows.MigrationWorkflow;
import dev.eden.workflows.SearchAttributesNeeded;
import dev.eden.workflows.TaskQueues;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.UpdateOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.client.WorkflowUpdateException;
import io.temporal.client.WorkflowUpdateStage;
import io.temporal.client.WorkflowUpdateTimeoutOrCancelledException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What REST asks of Temporal, with its answers as problems. Calls block; meant for virtual threads. */
public final class Orchestrator {
    private static final Logger LOGGER = LoggerFactory.getLogger(Orchestrator.class);
    private static final int CONTINUE_AFTER_EVENTS = 4_000;

    /** Answers of a Temporal that has looked at a call and not obeyed it. */
    private static final Set<Status.Code> REFUSALS = EnumSet.of(
            Status.Code.INVALID_ARGUMENT,
            Status.Code.NOT_FOUND,
            Status.Code.PERMISSION_DENIED,
            Status.Code.UNAUTHENTICATED,
            Status.Code.FAILED_PRECONDITION,
            Status.Code.UNIMPLEMENTED);

    private static final ScheduledExecutorService DEADLINES = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("temporal-deadlines").daemon().factory());

    private final WorkflowClient client;
    private final BooleanSupplier searchAttributes;
    private final Duration commandTimeout;
    private final Duration viewTimeout;

    /** {@code searchAttributes}: the namespace knows {@link SearchAttributesNeeded#ALL}. */
    public Orchestrator(
            WorkflowClient client, BooleanSupplier searchAttributes, Duration commandTimeout, Duration viewTimeout) {
        this.client = client;
        this.searchAttributes = searchAttributes;
        this.commandTimeout = commandTimeout;
        this.viewTimeout = viewTimeout;
    }

    /**
     * Starts the migration's workflow; one that runs already is fine: the start before was interrupted.
     *
     * @param refused runs where the workflow surely was not started; where it is not called and a {@link Problem} is thrown, nobody knows
     */
    public void start(MigrationSpec spec, Runnable refused) {
        WorkflowOptions options = options(spec)
                .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
                // The row has neither begun nor recorded anything: what was of this id before has been forgotten.
                .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
                .build();
        MigrationWorkflow workflow = client.newWorkflowStub(MigrationWorkflow.class, options);
        try {
            begin(workflow, new MigrationInput(spec, null, CONTINUE_AFTER_EVENTS));
        } catch (WorkflowExecutionAlreadyStarted e) {
            refused.run();
            throw new Problem(ErrorCode.MIGRATION_ENDED, "the workflow of migration " + spec.id() + " has ended");
        } catch (StatusRuntimeException | WorkflowException e) {
            if (surelyRefused(e)) {
                refused.run();
            }
            throw e instanceof StatusRuntimeException status ? unavailable(status) : translated(spec.id(), e);
        }
    }

    /** The SDK would try for a minute. */
    private void begin(MigrationWorkflow workflow, MigrationInput input) {
        Context.CancellableContext bounded =
                Context.current().withDeadlineAfter(commandTimeout.toMillis(), TimeUnit.MILLISECONDS, DEADLINES);
        try {
            bounded.run(() -> WorkflowClient.start(workflow::run, input));
        } finally {
            bounded.cancel(null);
        }
    }

    private static boolean surelyRefused(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof StatusRuntimeException status) {
                return REFUSALS.contains(status.getStatus().getCode());
            }
        }
        return false;
    }

    /**
     * Whether the migration's workflow runs; false where it has ended or Temporal knows nothing of it. Throws a {@link Problem} where
     * Temporal does not answer: then nobody knows.
     */
    public boolean runs(String migration) {
        WorkflowStub stub = client.newUntypedWorkflowStub(MigrationWorkflow.workflowId(migration));
        try {
            return stub.describe().getStatus() == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING;
        } catch (WorkflowNotFoundException _) {
            return false;
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return false;
            }
            throw unavailable(e);
        } catch (WorkflowException e) {
            throw translated(migration, e);
        }
    }

    /**
     * Starts the workflow of a migration that has lost its own, parked for an operator. One that runs is a {@link Problem} 409: whoever
     * recovers twice has one workflow.
     */
    public void recover(
            MigrationSpec spec, MigrationPhase resumeTo, boolean targetOwnsWrites, boolean finalizing, String reason) {
        MigrationWorkflow workflow = client.newWorkflowStub(
                MigrationWorkflow.class,
                options(spec)
                        .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
                        .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
                        .build());
        try {
            begin(
                    workflow,
                    MigrationInput.recovering(
                            spec, resumeTo, targetOwnsWrites, finalizing, reason, CONTINUE_AFTER_EVENTS));
        } catch (WorkflowExecutionAlreadyStarted e) {
            throw new Problem(
                    ErrorCode.COMMAND_REFUSED,
                    "the workflow of migration " + spec.id() + " runs: nothing is to recover");
        } catch (StatusRuntimeException e) {
            throw unavailable(e);
        } catch (WorkflowException e) {
            throw translated(spec.id(), e);
        }
    }

    private WorkflowOptions.Builder options(MigrationSpec spec) {
        WorkflowOptions.Builder options = WorkflowOptions.newBuilder()
                .setWorkflowId(MigrationWorkflow.workflowId(spec.id()))
                .setTaskQueue(TaskQueues.ORCHESTRATOR)
                .setStaticSummary(spec.engine() + " " + spec.source() + " to " + spec.target());
        if (searchAttributes.getAsBoolean()) {
            options.setTypedSearchAttributes(SearchAttributesNeeded.atStart(spec));
        }
        return options;
    }

    /** Sends a command, on behalf of the request this thread works for, as an update whose id is the command's, and waits for the handler's receipt. A refusal is a {@link Problem} 409. */
    public CommandReceipt send(String migration, Command command) {
        WorkflowStub stub = client.newUntypedWorkflowStub(MigrationWorkflow.workflowId(migration));
        UpdateOptions<CommandReceipt> options = UpdateOptions.newBuilder(CommandReceipt.class)
                .setUpdateName(command.kind().label())
                .setUpdateId(command.id())
                .setWaitForStage(WorkflowUpdateStage.COMPLETED)
                .build();
        Command asked = command.askedBy(Correlation.current());
        CompletableFuture<CommandReceipt> answer = onVirtualThread(
                () -> stub.startUpdate(options, asked).getResultAsync().get());
        try {
            return answer.get(commandTimeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw timedOut(migration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw timedOut(migration);
        } catch (ExecutionException e) {
            throw translated(migration, e);
        }
    }

    /** The workflow's own view; empty when it can't be had in time: the directory's last record serves then. */
    public Optional<MigrationView> view(String migration) {
        WorkflowStub stub = client.newUntypedWorkflowStub(MigrationWorkflow.workflowId(migration));
        CompletableFuture<MigrationView> answer = onVirtualThread(() -> stub.query("view", MigrationView.class));
        try {
            return Optional.of(answer.get(viewTimeout.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (TimeoutException | ExecutionException e) {
            LOGGER.atDebug().addKeyValue("migration", migration).setCause(e).log("the workflow's view can't be had");
            return Optional.empty();
        }
    }

    private interface Call<T> {
        T run() throws Exception;
    }

    private static <T> CompletableFuture<T> onVirtualThread(Call<T> call) {
        CompletableFuture<T> future = new CompletableFuture<>();
        Thread.ofVirtual().start(RequestId.carried(() -> {
            try {
                future.complete(call.run());
            } catch (Exception e) {
                future.completeExceptionally(e);
            }
        }));
        return future;
    }

    private static Problem translated(String migration, Throwable failure) {
        Optional<CommandRefusal> refusal = CommandRefusal.in(failure);
        if (refusal.isPresent()) {
            return refused(refusal.get());
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof WorkflowNotFoundException) {
                return new Problem(
                        ErrorCode.MIGRATION_ENDED,
                        "the workflow of migration " + migration
                                + " has ended; if nobody ended it: eden migration recover " + migration);
            }
            if (cause instanceof WorkflowUpdateTimeoutOrCancelledException) {
                return timedOut(migration);
            }
            if (cause instanceof StatusRuntimeException status) {
                return status.getStatus().getCode() == Status.Code.NOT_FOUND
                        ? new Problem(
                                ErrorCode.MIGRATION_ENDED, "the workflow of migration " + migration + " has ended")
                        : unavailable(status);
            }
            if (cause instanceof WorkflowUpdateException && cause.getCause() == null) {
                return new Problem(ErrorCode.COMMAND_REFUSED, "the workflow has refused the command");
            }
        }
        LOGGER.atError().addKeyValue("migration", migration).setCause(failure).log("a call to Temporal failed");
        return new Problem(ErrorCode.ORCHESTRATOR_UNAVAILABLE, "the call to Temporal failed");
    }

    private static Problem refused(CommandRefusal refusal) {
        Problem problem = new Problem(ErrorCode.COMMAND_REFUSED, refusal.why()).with("allowed", refusal.allowed());
        return refusal.blockers().isEmpty() ? problem : problem.with("blockers", refusal.blockers());
    }

    private static Problem timedOut(String migration) {
        return new Problem(
                ErrorCode.COMMAND_TIMED_OUT, "the workflow of migration " + migration + " has not answered in time");
    }

    private static Problem unavailable(StatusRuntimeException e) {
        LOGGER.atWarn().addKeyValue("status", e.getStatus().getCode()).log("Temporal does not answer");
        return new Problem(
                ErrorCode.ORCHESTRATOR_UNAVAILABLE,
                "Temporal answers " + e.getStatus().getCode());
    }
}
