package dev.eden.workflows;

import dev.eden.workflows.MigrationPhase.NeedsOperator;
import dev.eden.workflows.MigrationPhase.RolledBack;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.activity.DirectoryActivities.Glance;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** The migration at one look, as Markdown for the "current details" of Temporal's Web UI. */
final class PhaseTable {
    private static final List<String> WAY =
            List.of("initializing", "replicating", "validating", "canary", "cutting_over", "baking", "completed");

    private PhaseTable() {}

    static String markdown(MigrationState state) {
        MigrationView view = state.view();
        String now = view.phase().label();
        String id = state.spec().id();
        var text = new StringBuilder(1_024);
        text.append("**")
                .append(escaped(id))
                .append("**: ")
                .append(escaped(state.spec().engine()))
                .append(", ")
                .append(escaped(state.spec().source()))
                .append(" to ")
                .append(escaped(state.spec().target()))
                .append("\n\n");
        text.append("| phase | |\n|---|---|\n");
        for (String phase : WAY) {
            text.append("| ")
                    .append(phase)
                    .append(" | ")
                    .append(phase.equals(now) ? "**now**" : "")
                    .append(" |\n");
        }
        switch (view.phase()) {
            case RollingBack _, RolledBack _, NeedsOperator _ ->
                text.append("| ").append(now).append(" | **now** |\n");
            case MigrationPhase.Created _, MigrationPhase.Initializing _, MigrationPhase.Replicating _ -> {}
            case MigrationPhase.Validating _, MigrationPhase.Canary _, MigrationPhase.CuttingOver _ -> {}
            case MigrationPhase.Baking _, MigrationPhase.Completed _ -> {}
        }
        text.append("\n- writes: ").append(state.targetOwnsWrites() ? "target" : "source");
        if (!state.targetOwnsWrites()) {
            text.append("\n- reads on the target: ")
                    .append(Math.round(state.shareInForce() * 100))
                    .append(" %");
        }
        if (view.phase() instanceof MigrationPhase.Canary(int stage)
                && !state.strategy().plan().isEmpty()) {
            text.append(", stage ")
                    .append(stage + 1)
                    .append(" of ")
                    .append(state.strategy().plan().size());
        }
        boolean ended = view.phase().ended();
        if (state.held() && view.phase() instanceof MigrationPhase.Canary) {
            text.append(", **held** until somebody decides");
        }
        if (!ended) {
            text.append("\n- cutover: ").append(view.readyForCutover() ? "ready" : "not now");
            view.blockers().forEach(blocker -> text.append("\n  - ").append(escaped(blocker)));
        }
        text.append("\n- attempts: ")
                .append(view.attempts())
                .append(", flips: ")
                .append(view.flips());
        if (view.paused() && !ended) {
            text.append("\n- **paused**");
        }
        if (!view.lastReason().isEmpty()) {
            text.append("\n- last reason: ").append(escaped(view.lastReason()));
        }
        text.append("\n- commands: ")
                .append(ended ? "none, the migration has ended" : String.join(", ", view.allowedCommands()))
                .append('\n');
        Glance glance = state.glance();
        if (glance != null && glance.lagMs() != null && !ended) {
            text.append("- lag: ")
                    .append(glance.lagMs())
                    .append(" ms at ")
                    .append(Instant.ofEpochMilli(state.glanceMillis()).truncatedTo(ChronoUnit.SECONDS))
                    .append('\n');
        }
        if (glance != null && glance.status() != null) {
            text.append("\n[Status in Eden](<").append(glance.status()).append(">)\n");
        }
        if (ended) {
            text.append("\nHow it went: `eden migration report ").append(id).append("`; ");
        } else {
            // Lag and rates change by the second: a history has what was seen at its steps, now is where these lead.
            text.append("\nLag, rate and traffic now: `eden migration watch ")
                    .append(id)
                    .append("`, or `/api/v1/migrations/")
                    .append(id)
                    .append("/status` of the API; ");
        }
        text.append("what happened and why: `eden migration events ").append(id).append("`\n");
        return text.toString();
    }

    /** Bounded, and nothing in it is taken for markup: reasons come from people and servers. */
    private static String escaped(String reason) {
        String cut = reason.length() > 2_000 ? reason.substring(0, 2_000) + " …" : reason;
        return cut.replaceAll("[\\r\\n]+", " ").replaceAll("([\\\\`*_\\[\\]<>|#])", "\\\\$1");
    }
}
