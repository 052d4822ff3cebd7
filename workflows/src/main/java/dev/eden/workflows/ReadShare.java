package dev.eden.workflows;

import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.activity.CanaryActivities.CanaryRequest;

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
        boolean canary = state.phase() instanceof Canary;
        if (state.isApplied() || (!canary && state.shareInForce() == 0 && !state.targetOwnsWrites())) {
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

    private static String percent(double share) {
        return Math.round(share * 1_000) / 10.0 + " %";
    }
}
