package dev.eden.workflows;

import static org.awaitility.Awaitility.await;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationSpec.CutoverBudget;
import dev.eden.workflows.MigrationSpec.Data;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.Strategy.WriteMode;
import dev.eden.workflows.worker.MigrationWorkers;
import io.temporal.api.sdk.v1.WorkflowMetadata;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One migration on an in-process Temporal server, with {@link FakeWorld} behind it. In real time but for {@link #skipping}. */
final class Bench implements AutoCloseable {
    static final String ID = "orders";

    final FakeWorld world = new FakeWorld();
    final TestWorkflowEnvironment environment;
    private int commands;
    private String firstRun = "";

    private Bench(TestWorkflowEnvironment environment) {
        this.environment = environment;
    }

    static Bench open() {
        Bench bench = prepared();
        MigrationWorkers.register(bench.environment.getWorkerFactory(), bench.world.activities(), null);
        bench.environment.start();
        return bench;
    }

    /** Time that nobody works in is skipped where the test sleeps in {@link #environment}. */
    static Bench skipping() {
        Bench bench = prepared(true);
        MigrationWorkers.register(bench.environment.getWorkerFactory(), bench.world.activities(), null);
        bench.environment.start();
        return bench;
    }

    /** Without workers: the test registers them. */
    static Bench prepared() {
        return prepared(false);
    }

    private static Bench prepared(boolean skipping) {
        var options = TestEnvironmentOptions.newBuilder()
                .setUseTimeskipping(skipping)
                // Kept histories name no machine.
                .setWorkflowClientOptions(WorkflowClientOptions.newBuilder()
                        .setIdentity("bench")
                        .setDataConverter(HistoryJson.converter())
                        .build())
                .setWorkerFactoryOptions(MigrationWorkers.factoryOptions());
        SearchAttributesNeeded.ALL.forEach(options::registerSearchAttribute);
        return new Bench(TestWorkflowEnvironment.newInstance(options.build()));
    }

    static Strategy canary(double share, Strategy.Stage... stages) {
        return new Strategy(
                Strategy.CANARY,
                share,
                "session",
                5,
                stages.length == 0 ? null : List.of(stages),
                new WriteMode("dual_write", "old_authoritative", "source", null));
    }

    static Strategy acknowledgedByBoth(Strategy strategy) {
        return new Strategy(
                strategy.type(),
                strategy.readPercentage(),
                strategy.consistency(),
                strategy.maxWaitMs(),
                strategy.stages(),
                new WriteMode("dual_write", "old_authoritative", "both", null));
    }

    static Strategy ofType(String type) {
        return new Strategy(type, 0, "session", 5, null, new WriteMode("dual_write", null, "source", null));
    }

    static MigrationSpec spec(Strategy strategy, FailureHandling handling, String onBreach) {
        return new MigrationSpec(
                ID,
                "test",
                "redis",
                "blue",
                "green",
                List.of("front"),
                strategy,
                new Data("scan", "auto", "replace"),
                new Gates(0.01, -1, -1, 100, 100, onBreach),
                handling,
                new CutoverBudget(100, 3),
                null);
    }

    static MigrationSpec spec() {
        return spec(canary(0.05), FailureHandling.NEEDS_OPERATOR, "hold");
    }

    WorkflowClient client() {
        return environment.getWorkflowClient();
    }

    Bench start(MigrationSpec spec) {
        return start(spec, 0);
    }

    Bench start(MigrationSpec spec, int continueAfterEvents) {
        return start(new MigrationInput(spec, null, continueAfterEvents));
    }

    Bench start(MigrationInput input) {
        MigrationSpec spec = input.spec();
        return start(input, options -> options.setTypedSearchAttributes(SearchAttributesNeeded.atStart(spec)));
    }

    Bench startWithoutSearchAttributes(MigrationSpec spec) {
        return start(new MigrationInput(spec, null, 0), options -> options);
    }

    private Bench start(MigrationInput input, UnaryOperator<WorkflowOptions.Builder> more) {
        WorkflowOptions options = more.apply(WorkflowOptions.newBuilder()
                        .setTaskQueue(TaskQueues.ORCHESTRATOR)
                        .setWorkflowId(MigrationWorkflow.workflowId(ID)))
                .build();
        var execution = WorkflowClient.start(client().newWorkflowStub(MigrationWorkflow.class, options)::run, input);
        firstRun = execution.getRunId();
        return this;
    }

    MigrationWorkflow workflow() {
        return client().newWorkflowStub(MigrationWorkflow.class, MigrationWorkflow.workflowId(ID));
    }

    /** What Temporal's Web UI shows of the run now. */
    String details() {
        return untyped()
                .query("__temporal_workflow_metadata", WorkflowMetadata.class)
                .getCurrentDetails();
    }

    WorkflowStub untyped() {
        return client().newUntypedWorkflowStub(MigrationWorkflow.workflowId(ID));
    }

    MigrationView view() {
        return workflow().view();
    }

    CommandReceipt update(Kind kind) {
        return update(kind, null);
    }

    CommandReceipt update(Kind kind, @Nullable Strategy strategy) {
        return send(new Command(kind, "c" + ++commands, "alice", "because", strategy));
    }

    CommandReceipt patch(Strategy strategy) {
        return update(Kind.PATCH_STRATEGY, strategy);
    }

    CommandReceipt send(Command command) {
        return untyped().update(command.kind().label(), CommandReceipt.class, command);
    }

    void signal(Command command) {
        untyped().signal(command.kind().label(), command);
    }

    MigrationView until(Predicate<MigrationView> condition) {
        return await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(20))
                .until(this::view, condition);
    }

    MigrationView untilPhase(String label) {
        return until(view -> view.phase().label().equals(label));
    }

    MigrationView untilReady() {
        return until(view -> view.readyForCutover() && view.phase() instanceof MigrationPhase.Canary);
    }

    MigrationOutcome outcome() {
        return untyped().getResult(MigrationOutcome.class);
    }

    String firstRun() {
        return firstRun;
    }

    String currentRun() {
        return untyped().describe().getExecution().getRunId();
    }

    /** Of the present run. */
    int historyLength() {
        return client().fetchHistory(MigrationWorkflow.workflowId(ID))
                .getHistory()
                .getEventsCount();
    }

    @Override
    public void close() {
        environment.close();
    }
}
