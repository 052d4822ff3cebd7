package dev.eden.workflows;

import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.activity.CanaryActivities.CanaryRequest;
import io.temporal.failure.ActivityFailure;
import java.util.function.Supplier;

/** The share of reads that goes to the target, and what the proxies were told of it. */
final class ReadShare {
    private final MigrationState state;
    private final Waits waits;
    private final Journal journal;

    ReadShare(MigrationState state, Waits waits, Journal journal) {
        this.state = state;
        this.waits = waits;
        this.journal = journal;
    }

    /** Tells the proxies the wanted share, unless they have never been told one and none is wanted. */
    void apply() {
        Strategy wanted = state.wanted();
        if (state.isApplied() || nothingToTell()) {
            return;
        }
        CanaryRequest request = new CanaryRequest(state.spec(), wanted);
        state.applying(wanted);
        waits.work(() -> {
            Steps.share("read share " + percent(wanted.readPercentage())).apply(request);
            // Known even where a command ends the phase meanwhile.
            state.applied(wanted);
            return true;
        });
        journal.publish();
    }

    /** The same, for whom a failure is no reason to stop. */
    void tryToApply() {
        try {
            apply();
        } catch (ActivityFailure failure) {
            journal.record(AuditEvents.STEP_FAILED, AuditEvents.EDEN, StepFailure.reason(failure));
        }
    }

    /** Waits for a person. Nobody watches the target meanwhile, and nothing may keep it current: no reads go there. */
    void withdrawnUntil(Supplier<Boolean> decided) {
        state.withdraw();
        while (!decided.get()) {
            Strategy tried = state.wanted();
            tryToApply();
            waits.until(() -> decided.get() || !state.wanted().equals(tried));
        }
    }

    private boolean nothingToTell() {
        if (state.phase() instanceof Canary || state.targetOwnsWrites()) {
            return false;
        }
        return state.isWithdrawn() ? !state.wasTold() : state.shareInForce() == 0 && !state.toldTooMuch();
    }

    private static String percent(double share) {
        return Math.round(share * 1_000) / 10.0 + " %";
    }
}
