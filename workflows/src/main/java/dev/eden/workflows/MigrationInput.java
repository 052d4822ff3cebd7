package dev.eden.workflows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The workflow's argument.
 *
 * @param carried what continue-as-new takes along; {@code null} at the first start
 * @param continueAfterEvents length of the history after which a run hands over to a new one, beside the server's own
 *     suggestion (the in-process test server never suggests); 0: only when suggested. It must be well above the events of one
 *     phase (a few dozen)
 */
public record MigrationInput(MigrationSpec spec, @Nullable CarriedState carried, int continueAfterEvents) {

    /**
     * For a migration whose workflow is gone (terminated by hand, history lost) while its routes and fences are still there: it
     * begins parked, with the same id, and waits for an operator to resume, roll back or, after a flip, finalise.
     *
     * @param resumeTo where resume leads: initializing where preparation had not ended, replicating before a flip, baking after it, rolling back
     *     where nothing is left but to clean up
     * @param targetOwnsWrites what the committed route says
     * @param finalizing the routes are no longer the migration's: the source is not kept current any more
     */
    public static MigrationInput recovering(
            MigrationSpec spec,
            MigrationPhase resumeTo,
            boolean targetOwnsWrites,
            boolean finalizing,
            String reason,
            int continueAfterEvents) {
        Strategy strategy = spec.strategy();
        CarriedState parked = new CarriedState(
                new MigrationPhase.NeedsOperator(reason, resumeTo),
                strategy,
                false,
                targetOwnsWrites,
                0,
                0,
                targetOwnsWrites ? 1 : 0,
                reason,
                List.of(),
                List.of(),
                strategy.shareOf(0),
                // Whether it was held is lost with its workflow: nothing but the preparation is known not to have been.
                !(resumeTo instanceof MigrationPhase.Initializing),
                false,
                // Whatever the proxies were told last: unknown, so they are told again.
                strategy.withReadPercentage(1),
                false,
                0,
                0,
                targetOwnsWrites,
                finalizing,
                resumeTo instanceof MigrationPhase.RollingBack,
                false,
                false,
                0,
                false,
                // Nor is it known what the target has: whoever resumes may find that all is loaded anew.
                !targetOwnsWrites);
        return new MigrationInput(spec, parked, continueAfterEvents);
    }
}
