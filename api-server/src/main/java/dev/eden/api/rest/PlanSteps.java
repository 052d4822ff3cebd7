package dev.eden.api.rest;

import dev.eden.workflows.MigrationSpec;
import java.util.ArrayList;
import java.util.List;

/** What {@code migrate} would do, in words. */
final class PlanSteps {
    private PlanSteps() {}

    static List<String> of(MigrationSpec spec) {
        boolean postgres = spec.engine().equals("postgres");
        String things = postgres ? "rows" : "keys";
        List<String> steps = new ArrayList<>();
        steps.add("initializing: make Eden's users on " + spec.source() + " and " + spec.target()
                + ", save what is changed, fence " + spec.target() + " against everybody else");
        if (spec.data().type().equals("none")) {
            steps.add("replicating: copy no existing " + things + "; apply the log of " + spec.source() + " to "
                    + spec.target());
        } else {
            steps.add("replicating: "
                    + switch (spec.data().replace()) {
                        case "replace" -> "empty " + spec.target() + ", then ";
                        case "skip" -> "keep what " + spec.target() + " has, ";
                        default -> "(" + spec.target() + " must be empty) ";
                    }
                    + (postgres ? "copy the schema and every row of " : "copy every key of ") + spec.source()
                    + " and apply its log until lag is under "
                    + spec.gates().maxLagMs() + " ms; prove the way back");
        }
        steps.add(
                "validating: compare all " + things
                        + (spec.repairs()
                                ? ", repair, compare again until nothing differs"
                                : "; what differs is left for a person, and nothing goes on before a comparison without differences"));
        steps.add(
                switch (spec.strategy().type()) {
                    case "canary" ->
                        "canary: " + spec.target() + " serves "
                                + Math.round(spec.strategy().readPercentage() * 10_000) / 100.0
                                + " % of the eligible reads"
                                + (spec.strategy().stages() == null
                                        ? ""
                                        : ", then " + spec.strategy().stages().size() + " stages by themselves");
                    case "immediate" -> "cutting over by itself as soon as it is ready";
                    default -> "waiting for the cutover command, without canary reads";
                });
        steps.add("cutting_over (on command): hold, drain, fence " + spec.source() + ", wait until " + spec.target()
                + " has applied all of it, commit, open; within "
                + spec.budget().deadlineMs()
                + " ms or not at all"
                + (spec.budget().cancels() ? " (transactions that are open after two thirds of that are ended)" : "")
                + ", up to " + spec.budget().maxAttempts() + " attempts");
        steps.add("baking: " + spec.target() + " owns writes, its log is applied to " + spec.source()
                + ", so that rollback loses nothing");
        steps.add("completed (finalize): end the reverse copy and leave nothing of Eden's on either server");
        steps.add(
                "when a phase fails for good: " + spec.failureHandling().name().toLowerCase(java.util.Locale.ROOT));
        return steps;
    }
}
