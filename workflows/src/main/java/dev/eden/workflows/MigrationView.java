package dev.eden.workflows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the workflow knows of itself, for the status query. Live figures (lag, progress) come from the directory, not from here.
 *
 * @param readPercentage of the target: what the proxies are told now, not what a plan or a patch has for later
 * @param failed it is paused because a step has failed, and nothing is tried until somebody resumes; null: from before
 * @param bakeUntilMillis when the canary's present stage has baked (Unix time); null: it waits for a command, or it is no canary
 */
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
        List<String> allowedCommands,
        @Nullable Boolean failed,
        @Nullable Long bakeUntilMillis) {}
