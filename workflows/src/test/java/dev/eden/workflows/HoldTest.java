package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Baking;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.NeedsOperator;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.MigrationPhase.Validating;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.Strategy.Stage;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What lifts a hold, and what does not. */
class HoldTest {
    /** It would flip again by itself, half a minute later. */
    @Test
    void anImmediateThatWasTakenBackWaitsForItsCutover() {
        Strategy immediate = Bench.ofType(Strategy.IMMEDIATE);
        MigrationState state = held(immediate);
        state.obey(patch(Bench.acknowledgedByBoth(immediate), false), _ -> true);
        assertThat(state.held()).isTrue();
        assertThat(state.strategy().writeMode().ack()).isEqualTo("both");
        state.obey(patch(immediate, true), _ -> true);
        assertThat(state.held()).isFalse();
    }

    @Test
    void aPatchFromBeforeThereWasAWordForItLiftsTheHold() {
        MigrationState state = held(Bench.canary(0.25));
        state.obey(patch(Bench.canary(0.25), null), _ -> true);
        assertThat(state.held()).isFalse();
        assertThat(state.wanted().readPercentage()).isEqualTo(0.25);
    }

    @Test
    void theSamePlanGivenAgainBeginsItsHeldStageAnew() {
        Strategy plan = Bench.canary(0.05, new Stage(0.1, 60), new Stage(0.5, 0));
        MigrationState state = held(plan);
        assertThat(state.obey(patch(Bench.acknowledgedByBoth(plan), false), _ -> true))
                .isFalse();
        assertThat(state.held()).isTrue();
        assertThat(state.obey(patch(plan, true), _ -> true)).isTrue();
        state.enter(state.phase(), 1_000);
        assertThat(state.held()).isFalse();
        assertThat(state.bakeUntilMillis()).isEqualTo(61_000);
        assertThat(state.wanted().readPercentage()).isEqualTo(0.1);
    }

    /** Its stages are others: the one that failed may not be among them. */
    @Test
    void aPlanThatIsGivenWhileParkedBeginsWithItsFirstStage() {
        Stage first = new Stage(0.2, 30);
        MigrationState state = new MigrationState(
                spec(Bench.canary(0.05, new Stage(0.1, 60), new Stage(0.3, 60), new Stage(0.5, 0))), 1, false);
        state.enter(new Validating(), 0);
        state.enter(new Canary(0), 0);
        state.enter(new Canary(2), 0);
        state.enter(new NeedsOperator("failed", new Canary(2)), 0);
        state.obey(patch(Bench.canary(0.05, first, new Stage(0.4, 0)), true), _ -> true);
        assertThat(state.phase()).isEqualTo(new NeedsOperator("failed", new Canary(0)));
        state.enter(new Canary(0), 1_000);
        assertThat(state.bakeUntilMillis()).isEqualTo(31_000);
        assertThat(state.wanted().readPercentage()).isEqualTo(0.2);
        state.enter(new NeedsOperator("failed", new Canary(0)), 0);
        state.obey(patch(Bench.canary(0.05, new Stage(0.3, 50), new Stage(0.4, 0)), true), _ -> true);
        state.enter(new Canary(0), 1_000);
        assertThat(state.bakeUntilMillis()).as("of the first stage, too").isEqualTo(51_000);
    }

    /** It was said of an end that did not come. */
    @Test
    void emptyingTheTargetIsNotRememberedOverAReturnToTheCanary() {
        MigrationState state = new MigrationState(spec(Bench.canary(0.25)), 1, false);
        state.enter(new Baking(), 0);
        state.obey(new Command(Kind.ROLLBACK, "r", "alice", "", null, true), _ -> true);
        state.enter(new RollingBack(true), 0);
        assertThat(state.emptyTarget()).isTrue();
        state.enter(new Canary(0), 0);
        assertThat(state.emptyTarget()).isFalse();
    }

    @Test
    void aStageBakesOnUnderOtherTerms() {
        Strategy plan = Bench.canary(0.05, new Stage(0.1, 60), new Stage(0.5, 0));
        MigrationState state = new MigrationState(spec(plan), 1, false);
        state.enter(new Validating(), 0);
        state.enter(new Canary(0), 1_000);
        // Read before the plan was there, and the one that the migration has.
        state.obey(patch(Bench.acknowledgedByBoth(Bench.canary(0.9)), false), _ -> true);
        assertThat(state.bakeUntilMillis()).isEqualTo(61_000);
        assertThat(state.strategy().plan()).isEqualTo(plan.plan());
        assertThat(state.wanted().readPercentage()).isEqualTo(0.1);
        assertThat(state.wanted().writeMode().ack()).isEqualTo("both");
    }

    /** Two people read the same strategy, each changes one thing of it, and neither knows of the other. */
    @Test
    void patchesAtOnceOfDifferentTermsAllHold() {
        Strategy read = Bench.canary(0.25);
        MigrationState state = new MigrationState(spec(read), 1, false);
        state.enter(new Validating(), 0);
        state.enter(new Canary(0), 0);
        Strategy global = new Strategy("canary", 0.25, "global", 5, null, read.writeMode());
        state.obey(patch(global, false).naming(false, List.of(Strategy.CONSISTENCY)), _ -> true);
        Strategy patient = new Strategy("canary", 0.25, "session", 9, null, read.writeMode());
        state.obey(patch(patient, false).naming(false, List.of(Strategy.MAX_WAIT)), _ -> true);
        state.obey(patch(Bench.acknowledgedByBoth(read), false).naming(false, List.of(Strategy.ACK)), _ -> true);
        state.obey(patch(read.withReadPercentage(0.5), true).naming(true, List.of()), _ -> true);
        assertThat(state.strategy())
                .isEqualTo(new Strategy(
                        "canary",
                        0.5,
                        "global",
                        9,
                        null,
                        Bench.acknowledgedByBoth(read).writeMode()));
    }

    private static MigrationState held(Strategy strategy) {
        MigrationState state = new MigrationState(spec(strategy), 1, false);
        state.enter(new Validating(), 0);
        state.enter(new Canary(0), 0);
        state.enter(new RollingBack(false), 0);
        state.enter(new Canary(0), 0);
        assertThat(state.held()).isTrue();
        return state;
    }

    private static MigrationSpec spec(Strategy strategy) {
        return Bench.spec(strategy, FailureHandling.PAUSE, "hold");
    }

    private static Command patch(Strategy strategy, @Nullable Boolean share) {
        return new Command(Kind.PATCH_STRATEGY, "p", "alice", "", strategy).naming(share, null);
    }
}
