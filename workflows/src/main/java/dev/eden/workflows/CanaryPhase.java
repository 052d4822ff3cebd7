package dev.eden.workflows;

import dev.eden.workflows.PhaseMachine.Event;
import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import dev.eden.workflows.activity.CutoverActivities.Readiness;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.time.Duration;

/** Shifts reads, watches the gates, advances by itself where a plan says so, until somebody asks for more. */
final class CanaryPhase {
    /** Change id: a stage passes by the watch's verdict over all its reads, no longer by time alone. */
    private static final String JUDGED = "stages-judged";

    /** Change id: what was wanted before the answer came does not cut over any more. */
    private static final String ASKED_ANEW = "wanted-when-ready";

    private static final Duration AFTER_A_FAILED_SERIES = Duration.ofSeconds(30);
    private static final Duration LONGEST_ASK = Duration.ofSeconds(60);

    private final MigrationState state;
    private final Waits waits;
    private final Journal journal;
    private final ReplicationStep replication;
    private final GateWatch watch;
    private final ReadShare share;
    private final Attempts attempts;

    CanaryPhase(
            MigrationState state,
            Waits waits,
            Journal journal,
            ReplicationStep replication,
            GateWatch watch,
            ReadShare share,
            Attempts attempts) {
        this.state = state;
        this.waits = waits;
        this.journal = journal;
        this.replication = replication;
        this.watch = watch;
        this.share = share;
        this.attempts = attempts;
    }

    /** Returns what ended it; commands end it otherwise. */
    Event run() {
        replication.ensure();
        Duration ask = state.attempts() == 0 ? Duration.ZERO : AFTER_A_FAILED_SERIES;
        Promise<CanaryVerdict> watching = null;
        Promise<Void> bake = null;
        Promise<Void> askAgain = null;
        boolean judged = state.bakeUntilMillis() > 0
                && Workflow.getVersion(JUDGED, Workflow.DEFAULT_VERSION, 1) != Workflow.DEFAULT_VERSION;
        String passed = null;
        while (true) {
            if (!state.isApplied()) {
                watch.leave();
                watching = null;
                passed = null;
                share.apply();
                continue;
            }
            boolean judging = judged && state.shareInForce() > 0;
            if (watching == null && state.shareInForce() > 0) {
                watching = watch.start(
                        "watch the gates",
                        judging && passed == null ? state.bakeUntilMillis() : 0,
                        CanaryActivities::watch);
            }
            if (bake == null && state.bakeUntilMillis() > 0 && !judging) {
                bake = Waits.timer(
                        Duration.ofMillis(Math.max(1, state.bakeUntilMillis() - Workflow.currentTimeMillis())),
                        "stage " + (state.stage() + 1) + " bakes");
            }
            if (askAgain == null && cutsOverByItself()) {
                askAgain = ask.isZero()
                        ? Workflow.newPromise(null)
                        : Waits.timer(ask, "before asking again whether the cutover is ready");
            }
            Promise<CanaryVerdict> watched = watching;
            Promise<Void> baked = bake;
            Promise<Void> asked = askAgain;
            boolean mayPass = passed != null;
            waits.until(() -> !state.isApplied()
                    || (mayPass && advancesByItself())
                    || (watched != null && watched.isCompleted())
                    || (baked != null && baked.isCompleted() && advancesByItself())
                    || (asked == null ? cutsOverByItself() : asked.isCompleted() && cutsOverByItself()));
            if (watched != null && watched.isCompleted()) {
                watching = null;
                CanaryVerdict verdict = watched.get();
                if (verdict.breached()) {
                    return new Event.GateBreached(verdict.reason());
                }
                passed = verdict.passed() ? verdict.reason() : passed;
            } else if (passed != null && advancesByItself()) {
                return new Event.StageBaked(passed);
            } else if (baked != null && baked.isCompleted() && advancesByItself()) {
                return new Event.StageBaked("");
            } else if (asked != null && asked.isCompleted() && cutsOverByItself()) {
                if (isReady() && stillCutsOver()) {
                    return new Event.CutoverDue();
                }
                askAgain = null;
                ask = ask.isZero() ? Duration.ofSeconds(1) : shorter(ask.multipliedBy(2), LONGEST_ASK);
            }
        }
    }

    private boolean cutsOverByItself() {
        return state.strategy().type().equals(Strategy.IMMEDIATE) && !state.held() && !state.paused();
    }

    /** The strategy may have been another, or somebody have paused, while the activity asked. */
    private boolean stillCutsOver() {
        return cutsOverByItself()
                || Workflow.getVersion(ASKED_ANEW, Workflow.DEFAULT_VERSION, 1) == Workflow.DEFAULT_VERSION;
    }

    private boolean advancesByItself() {
        return state.bakeUntilMillis() > 0 && !state.held() && !state.paused();
    }

    private boolean isReady() {
        Readiness readiness =
                waits.work(() -> Steps.readiness("ready for cutover?").readiness(attempts.request(true)));
        if (!readiness.ready()) {
            state.reason("not ready for cutover: " + String.join("; ", readiness.blockers()));
            journal.publish();
        }
        return readiness.ready();
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
