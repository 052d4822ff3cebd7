package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.Replicating;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.Strategy.Stage;
import dev.eden.workflows.Strategy.WriteMode;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import io.temporal.api.common.v1.Payload;
import io.temporal.common.converter.RawValue;
import io.temporal.failure.CanceledFailure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What operators send, whatever the moment, and what becomes of it. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class CommandTest {
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.open();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private CommandRefusal refused(Command command) {
        Throwable thrown = catchThrowable(() -> bench.send(command));
        assertThat(thrown).isNotNull();
        return CommandRefusal.in(thrown).orElseThrow(() -> new AssertionError("no refusal", thrown));
    }

    private static Command command(Kind kind, String id) {
        return new Command(kind, id, "alice", "because", null);
    }

    @Test
    void aRefusalSaysWhyAndLeavesNoHistory() {
        bench.world.caughtUp = false;
        bench.start(Bench.spec());
        bench.untilPhase("replicating");
        await().until(() -> bench.world.calls.contains("awaitCaughtUp"));
        int before = bench.historyLength();
        CommandRefusal refusal = refused(command(Kind.CUTOVER, "early"));
        assertThat(refusal.why()).contains("not ready for cutover", "the phase is replicating");
        assertThat(refusal.allowed()).containsExactly("pause", "abort", "rollback", "patch_strategy");
        assertThat(refusal.blockers()).hasSize(2);
        assertThat(refused(command(Kind.RESUME, "r")).why()).contains("not paused");
        assertThat(refused(command(Kind.ADVANCE, "a")).why()).contains("canary");
        assertThat(refused(command(Kind.FINALIZE, "f")).blockers()).isEmpty();
        var history = bench.client().fetchHistory(MigrationWorkflow.workflowId(Bench.ID));
        assertThat(history.getEvents())
                .noneMatch(event -> event.getEventType().name().contains("UPDATE"));
        assertThat(bench.historyLength()).as("events of workflow tasks apart").isLessThanOrEqualTo(before + 4 * 3);
        assertThat(bench.world.records).noneMatch(r -> r.event().equals(AuditEvents.COMMAND_REFUSED));
    }

    @Test
    void aRepeatedCommandIsObeyedOnceByWhicheverWay() {
        bench.start(Bench.spec());
        bench.untilReady();
        Command pause = command(Kind.PAUSE, "p1");
        assertThat(bench.send(pause).repeated()).isFalse();
        bench.until(MigrationView::paused);
        bench.update(Kind.RESUME);
        bench.until(view -> !view.paused());
        bench.signal(pause);
        assertThat(bench.send(pause).repeated()).isTrue();
        bench.update(Kind.ABORT);
        bench.outcome();
        assertThat(events("pause")).hasSize(1);
    }

    @Test
    void aSignalDoesWhatTheUpdateDoesAndItsRefusalIsAudited() {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.signal(command(Kind.FINALIZE, "s1"));
        await().until(() -> !events(AuditEvents.COMMAND_REFUSED).isEmpty());
        PhaseRecord refusal = events(AuditEvents.COMMAND_REFUSED).getFirst();
        assertThat(refusal.actor()).isEqualTo("alice");
        assertThat(refusal.reason()).contains("finalize", "cut over first");
        bench.signal(command(Kind.CUTOVER, "s2"));
        bench.untilPhase("baking");
        bench.signal(command(Kind.FINALIZE, "s3"));
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 1));
        assertThat(events("cutover")).singleElement().matches(r -> r.phase().equals("cutting_over"));
    }

    @Test
    void aCommandTypedByHandIsTaken() {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.untyped().signal("pause");
        bench.until(MigrationView::paused);
        bench.untyped().update("resume", CommandReceipt.class, (Object) null);
        bench.until(view -> !view.paused());
        assertThat(events("pause")).singleElement().matches(r -> r.actor().equals("temporal"));
    }

    /** A strategy that nobody has checked must not keep the workflow from ever taking its next step. */
    @Test
    void aSignalThatLacksHalfIsRefusedAndTheNextIsObeyed() {
        bench.start(Bench.spec());
        bench.untilReady();
        for (String strategy : List.of(
                "{\"readPercentage\": 0.2}",
                "{\"writeMode\": {\"ack\": \"both\"}}",
                "{\"type\": \"canary\", \"stages\": [null]}")) {
            bench.untyped().signal("patch_strategy", raw("{\"actor\": \"kim\", \"strategy\": " + strategy + "}"));
        }
        await().until(() -> events(AuditEvents.COMMAND_REFUSED).size() == 3);
        bench.untyped()
                .signal(
                        "patch_strategy",
                        raw(
                                "{\"strategy\": {\"type\": \"canary\", \"stages\": [{\"readPercentage\": 0.1, \"bakeSeconds\": 60,"
                                        + " \"gates\": {\"maxErrorRate\": 0.01}}]}}"));
        await().until(() -> bench.world.shares().contains(0.1));
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }

    private static RawValue raw(String json) {
        return new RawValue(Payload.newBuilder()
                .putMetadata("encoding", ByteString.copyFromUtf8("json/plain"))
                .setData(ByteString.copyFromUtf8(json))
                .build());
    }

    /** As the runbook says where the way back is lost: to resume would fail again. */
    @Test
    void afterAFailureWhileBakingTheMigrationCanBeFinalised() {
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "hold"));
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.world.replicationFailure = "the log is lost";
        bench.until(MigrationView::failed);
        bench.update(Kind.FINALIZE);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 1));
    }

    @Test
    void twoCutoversAtOnceAreOne() {
        bench.world.attemptBlocked = true;
        bench.start(Bench.spec());
        bench.untilReady();
        var first = CompletableFuture.supplyAsync(() -> catchThrowable(() -> bench.send(command(Kind.CUTOVER, "a"))));
        var second = CompletableFuture.supplyAsync(() -> catchThrowable(() -> bench.send(command(Kind.CUTOVER, "b"))));
        assertThat(List.of(first.join() == null, second.join() == null)).containsExactlyInAnyOrder(true, false);
        bench.world.attemptBlocked = false;
        bench.untilPhase("baking");
        assertThat(bench.world.attempts).hasSize(1);
    }

    /** The first has left the inbox and its phase goes on until the share has been given. */
    @Test
    void aCutoverThatWaitsForTheShareIsTheOnlyOne() {
        bench.world.applyBlocked = true;
        bench.start(Bench.spec());
        bench.untilReady();
        await().until(() -> bench.world.calls.contains("apply"));
        bench.update(Kind.CUTOVER);
        assertThat(refused(command(Kind.CUTOVER, "b")).why()).contains("a cutover is running");
        bench.world.applyBlocked = false;
        bench.untilPhase("baking");
        assertThat(bench.world.attempts).hasSize(1);
        assertThat(events(AuditEvents.COMMAND_REFUSED)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"PAUSE", "PATCH_STRATEGY"})
    void whatIsNotWantedAnyMoreWhenItIsReadyIsNotCutOver(Kind kind) {
        bench.world.readinessBlocked = true;
        bench.start(Bench.spec(Bench.ofType(Strategy.IMMEDIATE), FailureHandling.PAUSE, "hold"));
        await().until(() -> bench.world.calls.contains("readiness"));
        bench.send(new Command(kind, "c", "alice", "", kind == Kind.PAUSE ? null : Bench.ofType(Strategy.BLUE_GREEN)));
        await().until(() -> !events(kind.label()).isEmpty());
        bench.world.readinessBlocked = false;
        await().during(Duration.ofMillis(500)).until(() -> bench.view().phase() instanceof Canary);
        assertThat(bench.world.attempts).isEmpty();
    }

    @Test
    void asManyAdvancesAreTakenAtOnceAsThereAreStages() {
        bench.world.applyBlocked = true;
        bench.start(
                Bench.spec(Bench.canary(0.05, new Stage(0.1, 0), new Stage(0.5, 0)), FailureHandling.PAUSE, "hold"));
        bench.until(view -> view.phase() instanceof Canary);
        await().until(() -> bench.world.calls.contains("apply"));
        bench.send(command(Kind.ADVANCE, "a"));
        assertThat(refused(command(Kind.ADVANCE, "b")).why()).contains("stage 2 is the last");
        bench.world.applyBlocked = false;
        await().until(() -> bench.world.shares().contains(0.5));
    }

    @Test
    void aRollbackDuringAnAttemptWaitsForItsOutcome() {
        bench.world.attemptBlocked = true;
        bench.start(Bench.spec());
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        await().until(() -> bench.world.attempts.size() == 1);
        bench.update(Kind.ABORT);
        assertThat(bench.view().phase()).isInstanceOf(MigrationPhase.CuttingOver.class);
        bench.world.attemptBlocked = false;
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 2));
        assertThat(bench.world.attempts.stream().map(a -> a.forward())).containsExactly(true, false);
    }

    @Test
    void pausedBeforeValidationItStaysThereWhileReplicationGoesOn() {
        bench.world.caughtUp = false;
        bench.start(Bench.spec());
        bench.untilPhase("replicating");
        bench.update(Kind.PAUSE);
        bench.world.caughtUp = true;
        await().during(Duration.ofMillis(500)).until(() -> bench.view().phase().equals(new Replicating()));
        assertThat(bench.world.replicating).hasValue(1);
        assertThat(bench.world.validations).hasValue(0);
        bench.update(Kind.RESUME);
        bench.untilReady();
        assertThat(bench.world.replicationStarts).hasValue(1);
    }

    @Test
    void whilePausedStagesDoNotAdvanceAndCutoverIsRefused() {
        bench.start(
                Bench.spec(Bench.canary(0.05, new Stage(0.05, 1), new Stage(0.5, 0)), FailureHandling.PAUSE, "hold"));
        bench.untilReady();
        bench.update(Kind.PAUSE);
        await().during(Duration.ofMillis(1_500))
                .until(() -> bench.view().phase().equals(new Canary(0)));
        assertThat(bench.view().failed()).as("somebody asked for it").isFalse();
        assertThat(refused(command(Kind.CUTOVER, "c")).blockers()).containsExactly("the migration is paused");
        bench.update(Kind.RESUME);
        bench.until(view -> view.phase().equals(new Canary(1)));
    }

    @Test
    void aPatchBeforeTheCanaryIsAppliedWhenItIsReached() {
        bench.world.caughtUp = false;
        bench.start(Bench.spec());
        bench.untilPhase("replicating");
        bench.patch(Bench.canary(0.25));
        await().until(() -> !events("patch_strategy").isEmpty());
        assertThat(bench.view().phase()).isEqualTo(new Replicating());
        assertThat(bench.view().readPercentage()).as("in force").isZero();
        assertThat(bench.world.applied).isEmpty();
        bench.world.caughtUp = true;
        await().until(() -> bench.world.shares().equals(List.of(0.25)));
    }

    @Test
    void aPatchEndsThePlanOrBringsAnother() {
        Strategy plan = Bench.canary(0.05, new Stage(0.1, 0), new Stage(0.2, 0));
        bench.start(Bench.spec(plan, FailureHandling.PAUSE, "hold"));
        await().until(() -> bench.world.shares().equals(List.of(0.1)));
        bench.patch(Bench.canary(0.5));
        await().until(() -> bench.world.shares().equals(List.of(0.1, 0.5)));
        assertThat(refused(command(Kind.ADVANCE, "a")).why()).contains("no stages");
        bench.patch(Bench.canary(0.05, new Stage(0.3, 0), new Stage(0.6, 0)));
        await().until(() -> bench.world.shares().equals(List.of(0.1, 0.5, 0.3)));
        bench.update(Kind.ADVANCE);
        await().until(() -> bench.world.shares().equals(List.of(0.1, 0.5, 0.3, 0.6)));
    }

    /** Whoever changes a term of the canary has not looked at what the gate has seen. */
    @Test
    void whatIsHeldStaysHeldUntilAShareIsNamed() {
        bench.start(Bench.spec(Bench.canary(0.25), FailureHandling.PAUSE, "hold"));
        bench.untilReady();
        bench.world.breach = "error rate 2 %";
        await().until(() -> bench.world.shares().equals(List.of(0.25, 0.0)));
        Strategy global = new Strategy(
                "canary", 0.25, "global", 5, null, Bench.canary(0.25).writeMode());
        bench.send(new Command(Kind.PATCH_STRATEGY, "consistency", "alice", "", global).naming(false, null));
        await().until(() ->
                bench.world.applied.getLast().strategy().consistency().equals("global"));
        assertThat(bench.world.shares()).containsExactly(0.25, 0.0, 0.0);
        assertThat(bench.view().readPercentage()).isZero();
        bench.send(new Command(Kind.PATCH_STRATEGY, "share", "alice", "", Bench.canary(0.25)).naming(true, null));
        await().until(() -> bench.world.shares().equals(List.of(0.25, 0.0, 0.0, 0.25)));
    }

    @Test
    void aPatchThatAsksForCutoverIsOneAndSplitBrainIsRefused() {
        bench.start(Bench.spec());
        bench.untilReady();
        var split = new Strategy("canary", 1, "session", 5, null, new WriteMode("cutover", null, "source", 0.5));
        assertThat(refused(new Command(Kind.PATCH_STRATEGY, "w", "alice", "", split))
                        .why())
                .contains("split brain");
        assertThat(refused(new Command(Kind.PATCH_STRATEGY, "n", "alice", "", null))
                        .why())
                .contains("needs a strategy");
        var cutover = new Strategy("canary", 1, "session", 5, null, new WriteMode("cutover", null, "source", 1.0));
        bench.patch(cutover);
        bench.untilPhase("baking");
        bench.update(Kind.ROLLBACK);
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
        assertThat(bench.view().readPercentage()).isZero();
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 2));
    }

    @Test
    void aRefusedPreflightIsHandledAsAFailure() {
        bench.world.findings = List.of(new Finding("redis.psync.refused", "failure", "PSYNC is refused", "allow it"));
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.ROLLBACK_ALL, "hold"));
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
        assertThat(bench.world.calls).containsExactly("preflight", "cleanUp");
        assertThat(events(AuditEvents.STEP_FAILED))
                .singleElement()
                .matches(r -> r.reason().contains("redis.psync.refused"));
    }

    @Test
    void aBreachRollsBackWhereTheGatesSaySo() {
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "rollback"));
        bench.untilReady();
        bench.world.breach = "mismatch rate 2 %";
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
        assertThat(events(AuditEvents.GATE_BREACHED))
                .singleElement()
                .matches(r -> r.reason().contains("2 %"));
    }

    /** Whatever the gates say of reads, and nobody has to ask. */
    @Test
    void afterAFlipClientsThatAreNotServedTakeItBack() {
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "hold"));
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.world.ownerBreach = "none of 20 requests succeeded";
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
        assertThat(bench.view().readPercentage()).isZero();
        assertThat(events(AuditEvents.GATE_BREACHED))
                .singleElement()
                .matches(r -> r.reason().contains("none of 20"));
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 2));
    }

    /** Who resumes hours later resumes a target that may have served everybody since. */
    @Test
    void whatIsSeenInAPauseTakesNothingBackAfterIt() {
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "hold"));
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        await().until(() -> bench.world.ownerWatches.get() == 1);
        bench.update(Kind.PAUSE);
        bench.world.ownerBreach = "none of 20 requests succeeded";
        await().until(() -> events(AuditEvents.GATE_BREACHED).size() == 1);
        assertThat(bench.view().lastReason()).contains("while paused", "none of 20");
        assertThat(bench.view().phase()).isEqualTo(new MigrationPhase.Baking());
        bench.update(Kind.RESUME);
        await().until(() -> bench.world.ownerWatches.get() == 2);
        assertThat(bench.view().phase()).isEqualTo(new MigrationPhase.Baking());
        assertThat(bench.view().flips()).isEqualTo(1);
        bench.world.ownerBreach = "none of 30 requests succeeded";
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
    }

    @Test
    void aShareThatCannotBeAppliedWaitsForTheOperator() {
        bench.world.applyFailure = "no such interlay";
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "hold"));
        MigrationView paused = bench.until(MigrationView::paused);
        assertThat(paused.lastReason()).contains("no such interlay");
        assertThat(paused.failed()).isTrue();
        // It is tried once more, to take the share back.
        await().until(() -> events(AuditEvents.STEP_FAILED).size() == 2);
        long tries = bench.world.calls.stream().filter("apply"::equals).count();
        await().during(Duration.ofMillis(500))
                .until(() -> bench.world.calls.stream().filter("apply"::equals).count() == tries);
        bench.world.applyFailure = "";
        bench.update(Kind.RESUME);
        await().until(() -> bench.world.shares().equals(List.of(0.05)));
    }

    @ParameterizedTest
    @EnumSource(
            value = FailureHandling.class,
            names = {"PAUSE", "NEEDS_OPERATOR"})
    void theShareThatIsSeenIsTheOneInForce(FailureHandling handling) {
        bench.start(Bench.spec(Bench.canary(0.25), handling, "hold"));
        bench.untilReady();
        assertThat(bench.view().readPercentage()).isEqualTo(0.25);
        bench.world.watchFailure = "no such interlay";
        await().until(() -> bench.world.shares().equals(List.of(0.25, 0.0)));
        assertThat(bench.view().readPercentage()).as("taken back").isZero();
        bench.update(Kind.RESUME);
        await().until(() -> bench.world.shares().equals(List.of(0.25, 0.0, 0.25)));
        assertThat(bench.view().readPercentage()).isEqualTo(0.25);
    }

    @Test
    void aCleanupThatWaitsForAServerSaysForWhich() {
        bench.world.cleanupFailure = "target is not clean yet: it cannot be reached; source is clean";
        bench.start(Bench.spec());
        bench.untilReady();
        bench.update(Kind.ABORT);
        MigrationView waiting = bench.until(view -> view.lastReason().contains("target is not clean yet"));
        assertThat(waiting.phase().label()).isEqualTo("rolling_back");
        bench.world.cleanupFailure = "";
        bench.outcome();
        assertThat(bench.world.records.getLast().viewJson())
                .contains("\"phase\":\"rolled_back\"", "\"lastReason\":\"\"");
        assertThat(bench.world.records)
                .filteredOn(record -> record.event().equals(AuditEvents.STEP_FAILED))
                .singleElement()
                .matches(record -> record.reason().startsWith("CleanupIncomplete: target is not clean yet"));
    }

    @Test
    void cancellingTheWorkflowIsAnAbort() {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.untyped().cancel();
        assertThat(catchThrowable(bench::outcome)).hasRootCauseInstanceOf(CanceledFailure.class);
        assertThat(bench.world.phases().getLast()).isEqualTo("rolled_back");
        assertThat(bench.world.cleanups).hasSize(1);
        assertThat(bench.world.replicating).hasValue(0);
    }

    @Test
    void recordsSurviveAStoreThatIsAwayAndNeverGoBack() {
        bench.world.recordFailures = 4;
        bench.start(Bench.spec());
        bench.untilReady();
        bench.update(Kind.ABORT);
        bench.outcome();
        assertThat(bench.world.phases())
                .containsSubsequence(
                        "initializing", "replicating", "validating", "canary", "rolling_back", "rolled_back");
        assertThat(bench.world.records.stream().map(PhaseRecord::revision))
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(bench.world.records.getLast().viewJson()).contains("\"phase\":\"rolled_back\"");
    }

    @Test
    void peopleSeeThePhaseInTemporal() {
        bench.start(Bench.spec());
        bench.untilReady();
        await().until(() -> bench.world.watching.get() == 1);
        var attributes = bench.untyped().describe().getTypedSearchAttributes();
        assertThat(attributes.get(SearchAttributesNeeded.PHASE)).isEqualTo("canary");
        assertThat(attributes.get(SearchAttributesNeeded.READ_PERCENTAGE)).isEqualTo(5L);
        assertThat(attributes.get(SearchAttributesNeeded.MIGRATION)).isEqualTo(Bench.ID);
    }

    @Test
    void withoutRegisteredSearchAttributesNoneIsUpserted() {
        bench.startWithoutSearchAttributes(Bench.spec());
        bench.untilReady();
        bench.update(Kind.ABORT);
        bench.outcome();
        assertThat(bench.client()
                        .fetchHistory(MigrationWorkflow.workflowId(Bench.ID))
                        .getEvents())
                .noneMatch(event -> event.hasUpsertWorkflowSearchAttributesEventAttributes());
    }

    private List<PhaseRecord> events(String event) {
        return bench.world.records.stream().filter(r -> r.event().equals(event)).toList();
    }
}
