package dev.eden.api.rest;

import dev.eden.activities.store.RouteLedger;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.Views;
import dev.eden.api.temporal.Orchestrator;
import dev.eden.proxy.RouteState;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec;
import java.util.Optional;
import java.util.Set;

/**
 * A migration whose workflow is gone (terminated by hand, its history lost) while its routes and fences stand gets a new one: parked,
 * in the phase that the store speaks for, waiting for an operator.
 */
public final class MigrationRecovery {
    private static final MigrationPhase UNDOING = new MigrationPhase.RollingBack(false);
    private static final Set<String> UNPREPARED = Set.of("created", "initializing");

    private final Orchestrator orchestrator;
    private final RouteLedger routes;

    public MigrationRecovery(Orchestrator orchestrator, RouteLedger routes) {
        this.orchestrator = orchestrator;
        this.routes = routes;
    }

    /** Throws a {@link Problem} where the workflow runs, or an attempt is being settled. */
    void recover(Migration migration, MigrationSpec spec, String reason) {
        String id = migration.id();
        if (orchestrator.runs(id)) {
            throw new Problem(
                    ErrorCode.COMMAND_REFUSED, "the workflow of migration " + id + " runs: nothing is to recover");
        }
        Optional<RouteLedger.Routes> route = routes.read(id);
        if (route.isPresent() && route.get().state() != RouteState.STABLE) {
            throw new Problem(
                    ErrorCode.COMMAND_REFUSED,
                    "an attempt of migration " + id
                            + " is being settled by servers and proxies; try again in a minute");
        }
        // Without routes of its own it has not begun, or its end has: then the interlays stand before the target.
        boolean finalizing = route.isEmpty()
                && routes.resting(spec.interlays())
                        .filter(spec.target()::equals)
                        .isPresent();
        boolean flipped = finalizing
                || route.filter(row -> row.active().equals(spec.target())).isPresent();
        String why = reason.isEmpty() ? "its workflow was gone" : "its workflow was gone: " + reason;
        orchestrator.recover(spec, resumeTo(migration, route.isPresent(), flipped), flipped, finalizing, why);
    }

    /**
     * The route speaks for what comes after a flip; before one, preparation is done again unless it is known to have ended. What has given its
     * routes back while it was undone has nothing left to go on with: it can only be undone to its end.
     */
    private static MigrationPhase resumeTo(Migration migration, boolean attached, boolean flipped) {
        if (flipped) {
            return new MigrationPhase.Baking();
        }
        String recorded = Views.parse(migration.viewJson())
                .map(view -> view.phase() instanceof MigrationPhase.NeedsOperator parked
                        ? parked.resumeTo().label()
                        : view.phase().label())
                .orElse(migration.phase());
        if (!attached && recorded.equals(UNDOING.label())) {
            return UNDOING;
        }
        return UNPREPARED.contains(recorded) ? new MigrationPhase.Initializing() : new MigrationPhase.Replicating();
    }
}
