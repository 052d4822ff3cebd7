package dev.eden.api;

import dev.eden.api.store.InterlayStore;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * All interlays before the two servers have to move together: one that is left out is fenced off with everybody else at the flip, and would
 * serve the old server again after the end.
 */
final class InterlayCoverage {
    static final String FINDING = "interlay.left_out";

    private final Function<MigrationSpec, List<InterlayStore.LeftOut>> leftOut;

    InterlayCoverage(Function<MigrationSpec, List<InterlayStore.LeftOut>> leftOut) {
        this.leftOut = leftOut;
    }

    static InterlayCoverage of(InterlayStore interlays) {
        return new InterlayCoverage(spec -> interlays.leftOut(spec.interlays(), List.of(spec.source(), spec.target())));
    }

    /** What {@code preflight} finds, and every interlay that stands before one of the two servers and is not in the migration. */
    Preflight check(MigrationSpec spec, Function<MigrationSpec, Preflight> preflight) {
        List<Finding> findings = new ArrayList<>(preflight.apply(spec).findings());
        for (InterlayStore.LeftOut one : leftOut.apply(spec)) {
            findings.add(new Finding(
                    FINDING,
                    one.served() ? "failure" : "warning",
                    "Interlay " + one.interlay() + " stands before " + one.endpoint()
                            + (one.served()
                                    ? ", has proxies and is not in the migration: its clients would be refused from the cutover on."
                                    : " and is not in the migration; no proxy serves it."),
                    "Add it to the migration (eden migration add-interlay), or delete it once nobody uses it."));
        }
        return new Preflight(findings);
    }
}
