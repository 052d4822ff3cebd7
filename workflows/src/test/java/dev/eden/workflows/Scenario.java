package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Baking;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.Strategy.Stage;
import dev.eden.workflows.activity.CutoverActivities;
import dev.eden.workflows.worker.MigrationActivities;
import dev.eden.workflows.worker.MigrationWorkers;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** Lives of a migration from start to end: {@link ScenarioTest} tries them, {@link HistoryRecorder} keeps their histories, {@link ReplayTest} replays those. */
enum Scenario {
    STAGED_CANARY(bench -> {
        bench.start(Bench.spec(
                Bench.canary(0.05, new Stage(0.05, 1), new Stage(0.25, 1), new Stage(0.75, 0)),
                FailureHandling.NEEDS_OPERATOR,
                "hold"));
        bench.until(view -> view.phase().equals(new Canary(2)));
        await().until(() -> bench.world.shares().contains(0.75));
        assertThat(bench.details())
                .as("what the directory knew at the last step")
                .contains("| canary | **now** |", "- lag: 12 ms at 20")
                .contains("[Status in Eden](<https://eden.example/api/v1/migrations/" + Bench.ID + "/status>)");
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.update(Kind.FINALIZE);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 1));
        assertThat(bench.world.shares()).containsExactly(0.05, 0.25, 0.75, 0.0);
        await().until(() -> bench.world.watching.get() == 0);
    }),

    /** A stage passes by what was seen of it, not by time alone, and not in a pause; its own gates are the ones that hold. */
    JUDGED_STAGES(bench -> {
        MigrationSpec.Gates strict = new MigrationSpec.Gates(0.001, 1.5, -1, 50, 100, "rollback");
        bench.world.enoughSamples = false;
        bench.start(Bench.spec(
                Bench.canary(0.05, new Stage(0.05, 1), new Stage(0.25, 60, strict), new Stage(0.5, 1)),
                FailureHandling.NEEDS_OPERATOR,
                "hold"));
        bench.untilReady();
        await().until(() -> bench.world.watched.stream().anyMatch(one -> one.bakedAtMillis() > 0));
        long baked = bench.world.watched.getLast().bakedAtMillis();
        await().until(() -> System.currentTimeMillis() > baked + 300);
        assertThat(bench.view().phase()).as("too few reads were seen").isEqualTo(new Canary(0));
        assertThat(bench.view().bakeUntilMillis()).isEqualTo(baked);
        bench.update(Kind.PAUSE);
        bench.world.enoughSamples = true;
        await().until(() -> bench.world.watched.getLast().bakedAtMillis() == 0);
        assertThat(bench.view().phase()).as("paused").isEqualTo(new Canary(0));
        bench.update(Kind.RESUME);
        bench.until(view -> view.phase().equals(new Canary(1)));
        assertThat(bench.world.records)
                .filteredOn(one -> one.event().equals(AuditEvents.STAGE_PROMOTED))
                .singleElement()
                .matches(one -> one.reason().contains("0 of 500 reads"));
        await().until(() -> bench.world.watched.getLast().spec().gates().equals(strict));
        // The watch of the stage before ends a moment later, and would take the breach for itself.
        await().until(() -> bench.world.watching.get() == 1);
        bench.world.enoughSamples = false;
        bench.world.breach = "max_latency_ratio: 2.10, the gate is 1.50";
        assertThat(bench.outcome())
                .as("this stage's gates roll back, the migration's hold")
                .isEqualTo(new MigrationOutcome("rolled_back", 0));
        assertThat(bench.world.records)
                .anyMatch(one -> one.event().equals(AuditEvents.GATE_BREACHED)
                        && one.reason().contains("2.10"));
    }),

    ROLLBACK_BEFORE_FLIP(bench -> {
        bench.start(Bench.spec());
        bench.untilReady();
        await().until(() -> bench.world.watching.get() == 1);
        bench.send(new Command(Kind.ROLLBACK, "back", "alice", "wrong target", null, true));
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
        assertThat(bench.world.attempts).isEmpty();
        assertThat(bench.world.shares()).containsExactly(0.05, 0.0);
        assertThat(bench.world.cleanups).singleElement().matches(c -> !c.completed() && c.emptyTarget());
        assertThat(bench.world.replicating).hasValue(0);
    }),

    CUTOVER_ROLLBACK_CUTOVER(bench -> {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.update(Kind.ROLLBACK);
        MigrationView back = bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
        assertThat(back.readPercentage()).isZero();
        assertThat(back.readyForCutover()).isTrue();
        bench.update(Kind.CUTOVER);
        bench.until(view -> view.flips() == 3 && view.phase() instanceof Baking);
        bench.update(Kind.FINALIZE);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 3));
        assertThat(bench.world.attempts.stream().map(a -> a.forward())).containsExactly(true, false, true);
        assertThat(bench.world.attempts.stream().map(a -> a.number())).containsExactly(1, 2, 3);
        assertThat(bench.world.replicationStarts)
                .as("one stream follows every flip")
                .hasValue(1);
        assertThat(bench.world.cleanups).singleElement().matches(c -> c.completed() && !c.emptyTarget());
    }),

    ATTEMPTS_ABORTED(bench -> {
        bench.start(Bench.spec());
        bench.untilReady();
        for (int i = 0; i < 3; i++) {
            bench.world.next(_ -> FakeWorld.aborted("proxy p2 is silent"));
        }
        bench.update(Kind.CUTOVER);
        MigrationView spent = bench.until(view -> view.attempts() == 3 && view.phase() instanceof Canary);
        assertThat(spent.lastReason()).contains("aborted", "proxy p2 is silent");
        bench.world.next(_ -> FakeWorld.refused("lag is 900 ms"));
        bench.update(Kind.CUTOVER);
        MigrationView refused = bench.until(view -> view.attempts() == 4 && view.phase() instanceof Canary);
        assertThat(refused.lastReason()).contains("refused", "lag is 900 ms");
        bench.world.next(_ -> FakeWorld.aborted("deadline"));
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.update(Kind.FINALIZE);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 1));
        assertThat(bench.world.attempts).hasSize(6);
        assertThat(bench.world.settled).isEmpty();
        assertThat(bench.world.shares()).as("an abort leaves the share alone").containsExactly(0.05, 0.0);
    }),

    ATTEMPT_LOST(bench -> {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.world.settleResult = FakeWorld.aborted("attempt was lost before its commit");
        bench.world.attemptSilent = true;
        bench.update(Kind.CUTOVER);
        await().until(() -> bench.world.settled.size() == 1);
        bench.world.attemptSilent = false;
        bench.untilPhase("baking");
        bench.world.settleResult = FakeWorld.committed();
        bench.world.next(_ -> {
            throw new IllegalStateException("lost after its commit");
        });
        bench.update(Kind.ROLLBACK);
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 2));
        assertThat(bench.world.attempts.stream().map(a -> a.number()))
                .as("one try each")
                .containsExactly(1, 2, 3);
        assertThat(bench.world.settled.stream().map(a -> a.number())).containsExactly(1, 3);
    }),

    NEEDS_OPERATOR(bench -> {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.world.replicationFailure = "target is out of memory";
        MigrationView parked = bench.untilPhase("needs_operator");
        assertThat(parked.lastReason()).contains("target is out of memory");
        assertThat(parked.readyForCutover()).isFalse();
        assertThat(parked.allowedCommands())
                .contains("resume", "rollback", "abort")
                .doesNotContain("cutover");
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0)));
        assertThat(bench.world.replicating).hasValue(0);
        bench.update(Kind.RESUME);
        bench.untilReady();
        assertThat(bench.world.validations)
                .as("what was validated counts no more")
                .hasValue(2);
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        for (int i = 0; i < 3; i++) {
            bench.world.next(_ -> FakeWorld.refused("reverse path is not proven"));
        }
        bench.update(Kind.ROLLBACK);
        MigrationView stuck = bench.untilPhase("needs_operator");
        assertThat(stuck.lastReason()).contains("reverse path is not proven");
        assertThat(stuck.allowedCommands()).contains("finalize", "resume");
        bench.update(Kind.FINALIZE);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 1));
    }),

    PAUSED_BY_FAILURE(bench -> {
        bench.world.remaining(7, 7, 7, 7, 7);
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "hold"));
        MigrationView paused = bench.until(MigrationView::paused);
        assertThat(paused.phase()).isEqualTo(new MigrationPhase.Validating());
        assertThat(paused.lastReason()).contains("differences remain", "7");
        bench.update(Kind.RESUME);
        bench.untilReady();
        assertThat(bench.world.validations).hasValue(Phases.VALIDATION_ROUNDS + 1);
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }),

    /** Nobody watches a paused migration's target, and nothing may keep it current: no reads go there, no reply waits for it. */
    PAUSED_IN_CANARY(bench -> {
        bench.start(Bench.spec(Bench.acknowledgedByBoth(Bench.canary(0.05)), FailureHandling.PAUSE, "hold"));
        bench.untilReady();
        bench.world.replicationFailure = "target is out of memory";
        MigrationView paused = bench.until(MigrationView::paused);
        assertThat(paused.phase()).isEqualTo(new MigrationPhase.Replicating());
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0)));
        assertThat(bench.world.acks()).containsExactly("both", "source");
        bench.patch(Bench.acknowledgedByBoth(Bench.canary(0.1)));
        bench.update(Kind.RESUME);
        bench.untilReady();
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0, 0.1)));
        assertThat(bench.world.acks()).last().isEqualTo("both");
        bench.world.applyFailure = "no such interlay";
        bench.patch(Bench.acknowledgedByBoth(Bench.canary(0.2)));
        await().until(() -> bench.world.records.stream()
                        .filter(one -> one.event().equals(AuditEvents.STEP_FAILED))
                        .count()
                == 3);
        bench.world.applyFailure = "";
        bench.patch(Bench.canary(0.2));
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0, 0.1, 0.0)));
        assertThat(bench.world.acks())
                .last()
                .as("a patch is heard while paused")
                .isEqualTo("source");
        assertThat(bench.view().phase()).isEqualTo(new Canary(0));
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }),

    /** Nobody has compared what is loaded now, and no reads go to a target that is being loaded. */
    LOADED_AGAIN(bench -> {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.world.caughtUp = false;
        bench.world.lostLog = "the source's log is lost";
        MigrationView loading = bench.untilPhase("replicating");
        assertThat(loading.paused()).isFalse();
        assertThat(loading.readyForCutover()).isFalse();
        assertThat(loading.lastReason()).contains("the source's log is lost");
        assertThat(loading.allowedCommands()).doesNotContain("cutover");
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0)));
        await().until(() -> bench.world.replicating.get() == 1);
        bench.world.caughtUp = true;
        bench.untilReady();
        assertThat(bench.world.validations).hasValue(2);
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0, 0.05)));
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }),

    /** What waits for a person goes on waiting, and no reply waits for a target that is being loaded. */
    LOADED_AGAIN_WHILE_HELD(bench -> {
        bench.world.enoughSamples = false;
        bench.start(Bench.spec(
                Bench.acknowledgedByBoth(Bench.canary(0.05, new Stage(0.05, 1), new Stage(0.5, 0))),
                FailureHandling.NEEDS_OPERATOR,
                "hold"));
        bench.untilReady();
        bench.world.breach = "error rate 3 % over 1 %";
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0)));
        bench.world.enoughSamples = true;
        bench.world.caughtUp = false;
        bench.world.lostLog = "the source's log is lost";
        bench.untilPhase("replicating");
        await().untilAsserted(() -> assertThat(bench.world.acks()).containsExactly("both", "both", "source"));
        await().until(() -> bench.world.replicating.get() == 1);
        bench.world.caughtUp = true;
        bench.untilReady();
        await().untilAsserted(() -> assertThat(bench.world.acks()).containsExactly("both", "both", "source", "both"));
        await().during(Duration.ofMillis(1_500))
                .until(() -> bench.view().phase().equals(new Canary(0)));
        assertThat(bench.world.shares()).as("nobody has said advance").containsExactly(0.05, 0.0, 0.0, 0.0);
        bench.update(Kind.ADVANCE);
        bench.until(view -> view.phase().equals(new Canary(1)));
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0, 0.0, 0.0, 0.05, 0.5)));
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }),

    ROLLED_BACK_BY_FAILURE(bench -> {
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.ROLLBACK_ALL, "hold"));
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.world.replicationFailure = "the source's log is lost";
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 2));
        assertThat(bench.world.attempts.stream().map(a -> a.forward())).containsExactly(true, false);
        assertThat(bench.world.cleanups).singleElement().matches(c -> !c.completed() && !c.emptyTarget());
    }),

    GATE_HELD(bench -> {
        bench.start(Bench.spec(
                Bench.canary(0.05, new Stage(0.05, 0), new Stage(0.5, 0)), FailureHandling.NEEDS_OPERATOR, "hold"));
        bench.untilReady();
        bench.world.breach = "error rate 3 % over 1 %";
        MigrationView held = bench.until(view -> view.readPercentage() == 0);
        assertThat(held.phase()).isEqualTo(new Canary(0));
        assertThat(held.lastReason()).contains("error rate 3 %");
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0)));
        bench.update(Kind.ADVANCE);
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0, 0.05)));
        bench.update(Kind.ADVANCE);
        bench.until(view -> view.phase().equals(new Canary(1)));
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }),

    IMMEDIATE(bench -> {
        bench.world.readiness = new CutoverActivities.Readiness(false, List.of("lag is 2000 ms"));
        bench.start(Bench.spec(Bench.ofType(Strategy.IMMEDIATE), FailureHandling.NEEDS_OPERATOR, "hold"));
        bench.until(view -> view.lastReason().contains("lag is 2000 ms"));
        bench.world.readiness = new CutoverActivities.Readiness(true, List.of());
        bench.untilPhase("baking");
        bench.update(Kind.ROLLBACK);
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
        bench.update(Kind.CUTOVER);
        bench.until(view -> view.flips() == 3 && view.phase() instanceof Baking);
        bench.update(Kind.FINALIZE);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 3));
    }),

    RECOVERED(bench -> {
        bench.start(MigrationInput.recovering(
                Bench.spec(), new MigrationPhase.Baking(), true, false, "its workflow was terminated", 0));
        MigrationView parked = bench.untilPhase("needs_operator");
        assertThat(parked.allowedCommands()).containsExactly("resume", "abort", "rollback", "finalize");
        assertThat(parked.lastReason()).contains("terminated");
        bench.update(Kind.ROLLBACK);
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
        assertThat(bench.world.calls).doesNotContain("preflight", "prepare");
        assertThat(bench.world.records.getFirst().event()).isEqualTo(AuditEvents.RECOVERED);
        assertThat(bench.world.shares()).as("told again").containsExactly(0.0);
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 2));
    }),

    CONTINUED_AS_NEW(bench -> {
        bench.start(Bench.spec(), 90);
        bench.untilReady();
        String first = bench.currentRun();
        int share = 0;
        while (bench.currentRun().equals(first)) {
            double next = ++share / 100.0;
            bench.patch(Bench.canary(next));
            await().until(() -> bench.world.shares().contains(next));
        }
        double last = share / 100.0;
        assertThat(bench.send(new Command(Kind.PATCH_STRATEGY, "c1", "alice", "again", Bench.canary(0.9)))
                        .repeated())
                .as("ids are remembered across runs")
                .isTrue();
        bench.until(view -> view.readPercentage() == last && view.readyForCutover());
        assertThat(bench.untyped().describe().getTypedSearchAttributes().get(SearchAttributesNeeded.MIGRATION))
                .isEqualTo(Bench.ID);
        await().until(() -> bench.world.replicating.get() == 1);
        assertThat(bench.world.replicationStarts.get()).isGreaterThan(1);
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.update(Kind.FINALIZE);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 1));
        assertThat(bench.world.records.stream().map(r -> r.revision()))
                .as("revisions go on growing")
                .isSorted()
                .doesNotHaveDuplicates();
    });

    private final Consumer<Bench> life;

    Scenario(Consumer<Bench> life) {
        this.life = life;
    }

    void run(Bench bench) {
        life.accept(bench);
    }

    /** A bench whose attempts heartbeat by themselves or not at all, so that one can be lost. */
    Bench bench() {
        if (this != ATTEMPT_LOST) {
            return Bench.open();
        }
        Bench bench = Bench.prepared();
        MigrationActivities activities = bench.world.activities();
        MigrationWorkers.orchestrator(bench.environment.getWorkerFactory(), activities, null);
        MigrationWorkers.data(bench.environment.getWorkerFactory(), activities, null);
        bench.environment
                .newWorker(TaskQueues.CUTOVER)
                .registerActivitiesImplementations(activities.cutover(), activities.cleanup(), activities.canary());
        bench.environment.start();
        return bench;
    }

    String file() {
        return name().toLowerCase(Locale.ROOT);
    }
}
