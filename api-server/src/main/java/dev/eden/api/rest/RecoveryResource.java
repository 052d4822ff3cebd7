package dev.eden.api.rest;

import dev.eden.activities.store.RouteLedger;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.TokenStore.Role;
import dev.eden.api.store.Views;
import dev.eden.api.temporal.Orchestrator;
import dev.eden.proxy.RouteState;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import java.util.Set;

/**
 * A migration whose workflow is gone (terminated by hand, its history lost) while its routes and fences stand gets a new one: parked,
 * in the phase that the store speaks for, waiting for an operator.
 */
@Path("/api/v1/migrations/{id}/recover")
@Produces(MediaType.APPLICATION_JSON)
public final class RecoveryResource {
    private static final Set<String> UNPREPARED = Set.of("created", "initializing");

    private final MigrationStore migrations;
    private final Orchestrator orchestrator;
    private final MigrationStatus status;
    private final RouteLedger routes;

    public RecoveryResource(
            MigrationStore migrations, Orchestrator orchestrator, MigrationStatus status, RouteLedger routes) {
        this.migrations = migrations;
        this.orchestrator = orchestrator;
        this.status = status;
        this.routes = routes;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers(
            value = 202,
            problems = {
                ErrorCode.MIGRATION_NOT_FOUND,
                ErrorCode.MIGRATION_NOT_STARTED,
                ErrorCode.MIGRATION_ENDED,
                ErrorCode.COMMAND_REFUSED,
                ErrorCode.ORCHESTRATOR_UNAVAILABLE
            })
    public Response recover(@PathParam("id") String id, byte[] body, @Context ContainerRequestContext request) {
        Migration migration = migrations.get(id);
        String reason = MigrationRequests.reason(body);
        MigrationCommands.refuseUnlessRunning(migration);
        if (orchestrator.runs(id)) {
            throw new Problem(
                    ErrorCode.COMMAND_REFUSED, "the workflow of migration " + id + " runs: nothing is to recover");
        }
        MigrationSpec spec = MigrationCommands.spec(migration);
        Optional<RouteLedger.Routes> route = routes.read(id);
        if (route.isPresent() && route.get().state() != RouteState.STABLE) {
            throw new Problem(
                    ErrorCode.COMMAND_REFUSED,
                    "an attempt of migration " + id
                            + " is being settled by servers and proxies; try again in a minute");
        }
        boolean flipped = route.isPresent() && route.get().active().equals(spec.target());
        String why = reason.isEmpty() ? "its workflow was gone" : "its workflow was gone: " + reason;
        orchestrator.recover(spec, resumeTo(migration, flipped), flipped, why);
        migrations.commandAccepted(migration, "recover", Caller.actor(request), reason, null);
        return Response.status(Response.Status.ACCEPTED)
                .entity(status.of(migrations.get(id)))
                .build();
    }

    /** The route speaks for what comes after a flip; before one, preparation is done again unless it is known to have ended. */
    private static MigrationPhase resumeTo(Migration migration, boolean flipped) {
        if (flipped) {
            return new MigrationPhase.Baking();
        }
        String recorded = Views.parse(migration.viewJson())
                .map(view -> view.phase() instanceof MigrationPhase.NeedsOperator parked
                        ? parked.resumeTo().label()
                        : view.phase().label())
                .orElse(migration.phase());
        return UNPREPARED.contains(recorded) ? new MigrationPhase.Initializing() : new MigrationPhase.Replicating();
    }
}
