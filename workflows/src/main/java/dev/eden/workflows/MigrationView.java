package dev.eden.workflows;

import java.util.List;

/** What the workflow knows of itself, for the status query. Live figures (lag, progress) come from the directory, not from here. */
public record MigrationView(
        MigrationPhase phase,
        boolean paused,
        double readPercentage,
        boolean diffEmpty,
        boolean readyForCutover,
        List<String> blockers,
        int attempts,
        int flips,
        String lastReason,
        List<String> allowedCommands) {}
