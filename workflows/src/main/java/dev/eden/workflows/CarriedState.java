package dev.eden.workflows;

import java.util.List;

/** Everything a run hands to the next by continue-as-new, pending commands and seen command ids included. */
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
        List<String> seenCommandIds) {}
