package dev.eden.workflows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything a run hands to the next by continue-as-new, pending commands and seen command ids included. Additive evolution
 * only: instances live in workflow histories.
 *
 * @param share desired share of reads for the target
 * @param held the canary does not advance by itself
 * @param failed paused by a failure, not by an operator
 * @param applied what {@code CanaryActivities.apply} was last given
 * @param appliedForSure the call with {@code applied} returned
 * @param bakeUntilMillis when the present stage has baked, by the workflow's clock; 0: waits for a command
 * @param series attempts of the present cutover or rollback
 * @param ending a flip back is followed by the end of the migration
 * @param replicationStopped replication ended by itself and waits for an operator
 * @param revision of the last {@code PhaseRecord}
 * @param indexed the namespace knows Eden's search attributes
 * @param reloads a full load began anew, and the canary has not begun again since
 */
public record CarriedState(
        MigrationPhase phase,
        Strategy strategy,
        boolean paused,
        boolean diffEmpty,
        int stage,
        int attempts,
        int flips,
        String lastReason,
        List<Command> pending,
        List<String> seenCommandIds,
        double share,
        boolean held,
        boolean failed,
        @Nullable Strategy applied,
        boolean appliedForSure,
        long bakeUntilMillis,
        int series,
        boolean targetOwnsWrites,
        boolean finalizing,
        boolean ending,
        boolean emptyTarget,
        boolean replicationStopped,
        long revision,
        boolean indexed,
        boolean reloads) {}
