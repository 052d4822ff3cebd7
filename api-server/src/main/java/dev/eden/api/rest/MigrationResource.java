package dev.eden.api.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.api.notify.Notifier;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.ForgottenMigrations;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Migrations: what was asked for, where they stand, and the operators' commands. */
@Path("/api/v1/migrations")
@Produces(MediaType.APPLICATION_JSON)
public final class MigrationResource {
    /** As status and filters name them. */
    public static final List<String> PHASES = List.of(
            "created",
            "initializing",
            "replicating",
            "validating",
            "canary",
            "cutting_over",
            "baking",
            "rolling_back",
            "completed",
            "rolled_back",
            "needs_operator");

    private final MigrationStore migrations;
    private final ForgottenMigrations forgotten;
    private final MigrationCommands commands;
    private final MigrationStatus status;
    private final ValidationLedger validations;
    private final MigrationReport report;
    private final Notifier notifier;

    public MigrationResource(
            MigrationStore migrations,
            ForgottenMigrations forgotten,
            MigrationCommands commands,
            MigrationStatus status,
            ValidationLedger validations,
            MigrationReport report,
            Notifier notifier) {
        this.migrations = migrations;
        this.forgotten = forgotten;
        this.commands = commands;
        this.status = status;
        this.validations = validations;
        this.report = report;
        this.notifier = notifier;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers(value = 201, problems = ErrorCode.MIGRATION_EXISTS)
    public Response create(byte[] body, @Context ContainerRequestContext request) {
        MigrationRequests.NewMigration asked = MigrationRequests.create(body, notifier.names());
        Migration created = migrations.create(
                asked.id(), asked.description(), asked.definition(), asked.labels(), Caller.actor(request));
        return Response.created(URI.create("/api/v1/migrations/" + created.id()))
                .entity(status.of(created.id()))
                .build();
    }

    @GET
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.INVALID_PARAMETER)
    public Map<String, @Nullable Object> list(
            @QueryParam("phase") @Nullable String phase,
            @QueryParam("label") @Nullable String label,
            @QueryParam("after") @Nullable String after,
            @QueryParam("limit") @Nullable String limit) {
        if (phase != null && !PHASES.contains(phase)) {
            throw badParameter("phase", "must be one of " + String.join(", ", PHASES));
        }
        int equals = label == null ? 0 : label.indexOf('=');
        if (label != null && equals <= 0) {
            throw badParameter("label", "must be NAME=VALUE");
        }
        String key = label == null ? null : label.substring(0, equals);
        String value = label == null ? null : label.substring(equals + 1);
        return Listing.of(
                "migrations",
                limit,
                count -> migrations.list(phase, key, value, Listing.after(after), count).stream()
                        .map(MigrationStatus::summary)
                        .toList(),
                summary -> summary.path("id").asText());
    }

    @GET
    @Path("{id}")
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.MIGRATION_NOT_FOUND)
    public ObjectNode get(@PathParam("id") String id) {
        return status.of(id);
    }

    @GET
    @Path("{id}/status")
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.MIGRATION_NOT_FOUND)
    public ObjectNode status(@PathParam("id") String id) {
        return status.of(id);
    }

    @PATCH
    @Path("{id}")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers(
            value = {200, 202},
            problems = {
                ErrorCode.MIGRATION_NOT_FOUND,
                ErrorCode.MIGRATION_STARTED,
                ErrorCode.MIGRATION_ENDED,
                ErrorCode.ENGINE_MISMATCH,
                ErrorCode.COMMAND_REFUSED,
                ErrorCode.WIRE_UNSUPPORTED,
                ErrorCode.ORCHESTRATOR_UNAVAILABLE,
                ErrorCode.COMMAND_TIMED_OUT
            })
    public Response patch(@PathParam("id") String id, byte[] body, @Context ContainerRequestContext request) {
        Migration migration = migrations.get(id);
        MigrationRequests.Patch patch = MigrationRequests.patch(body, migration.definition(), migration.engine());
        return commands.patch(migration, patch, Caller.commandId(request), Caller.actor(request));
    }

    /** Forgets a migration that was never started, for an admin also one that has ended. */
    @DELETE
    @Path("{id}")
    @Allow(Role.OPERATOR)
    @Answers(
            value = 204,
            problems = {
                ErrorCode.MIGRATION_NOT_FOUND,
                ErrorCode.MIGRATION_STARTED,
                ErrorCode.MIGRATION_ENDED,
                ErrorCode.COMMAND_REFUSED
            })
    public Response delete(@PathParam("id") String id, @Context ContainerRequestContext request) {
        Migration migration = migrations.get(id);
        if (!migration.ended()) {
            commands.beforeStart(migration, () -> migrations.delete(id, Caller.actor(request)));
        } else if (Caller.identity(request).role().includes(Role.ADMIN)) {
            forgotten.forget(id, Caller.actor(request));
        } else {
            throw new Problem(
                    ErrorCode.MIGRATION_ENDED, "migration " + id + " has ended: to forget it needs the role admin");
        }
        return Response.noContent().build();
    }

    @POST
    @Path("{id}/interlay/{interlay}")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers(
            problems = {
                ErrorCode.MIGRATION_NOT_FOUND,
                ErrorCode.INTERLAY_NOT_FOUND,
                ErrorCode.ENDPOINT_NOT_FOUND,
                ErrorCode.INTERLAY_UNBOUND,
                ErrorCode.ENGINE_MISMATCH,
                ErrorCode.MIGRATION_SIDES_DIFFER,
                ErrorCode.ENDPOINT_IN_MIGRATION,
                ErrorCode.MIGRATION_STARTED,
                ErrorCode.MIGRATION_ENDED
            })
    public ObjectNode addInterlay(
            @PathParam("id") String id,
            @PathParam("interlay") String interlay,
            byte[] body,
            @Context ContainerRequestContext request) {
        Migration migration = migrations.get(id);
        String target = MigrationRequests.target(body);
        commands.beforeStart(migration, () -> migrations.addInterlay(id, interlay, target, Caller.actor(request)));
        return status.of(id);
    }

    @GET
    @Path("{id}/plan")
    @Allow(Role.VIEWER)
    @Answers(problems = {ErrorCode.MIGRATION_NOT_FOUND, ErrorCode.MIGRATION_WITHOUT_INTERLAY})
    public Object plan(@PathParam("id") String id) {
        return commands.plan(migrations.get(id));
    }

    @POST
    @Path("{id}/migrate")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers(
            value = 202,
            problems = {
                ErrorCode.MIGRATION_NOT_FOUND,
                ErrorCode.MIGRATION_STARTED,
                ErrorCode.MIGRATION_ENDED,
                ErrorCode.MIGRATION_WITHOUT_INTERLAY,
                ErrorCode.COMMAND_REFUSED,
                ErrorCode.PREFLIGHT_REFUSED,
                ErrorCode.ORCHESTRATOR_UNAVAILABLE
            })
    public Response migrate(@PathParam("id") String id, byte[] body, @Context ContainerRequestContext request) {
        Migration migration = migrations.get(id);
        return commands.migrate(migration, MigrationRequests.reason(body), Caller.actor(request));
    }

    /** The cutover's barrier without the flip: what clients would wait. */
    @POST
    @Path("{id}/rehearse")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers(
            problems = {
                ErrorCode.MIGRATION_NOT_FOUND,
                ErrorCode.MIGRATION_NOT_STARTED,
                ErrorCode.MIGRATION_ENDED,
                ErrorCode.MIGRATION_WITHOUT_INTERLAY,
                ErrorCode.COMMAND_REFUSED,
                ErrorCode.WIRE_UNSUPPORTED,
                ErrorCode.COMMAND_TIMED_OUT
            })
    public Response rehearse(@PathParam("id") String id, byte[] body, @Context ContainerRequestContext request) {
        Migration migration = migrations.get(id);
        return commands.rehearse(migration, MigrationRequests.reason(body), Caller.actor(request));
    }

    @POST
    @Path("{id}/{command: advance|pause|resume|abort|cutover|rollback|finalize}")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.OPERATOR)
    @Answers(
            value = 202,
            problems = {
                ErrorCode.MIGRATION_NOT_FOUND,
                ErrorCode.MIGRATION_NOT_STARTED,
                ErrorCode.MIGRATION_ENDED,
                ErrorCode.COMMAND_REFUSED,
                ErrorCode.WIRE_UNSUPPORTED,
                ErrorCode.ORCHESTRATOR_UNAVAILABLE,
                ErrorCode.COMMAND_TIMED_OUT
            })
    public Response command(
            @PathParam("id") String id,
            @PathParam("command") String command,
            byte[] body,
            @Context ContainerRequestContext request) {
        Migration migration = migrations.get(id);
        MigrationRequests.Told told =
                MigrationRequests.told(body, command.equals("abort") || command.equals("rollback"));
        return commands.command(migration, command, told, Caller.commandId(request), Caller.actor(request));
    }

    /** For a migration whose workflow is gone: it gets a new one, parked. */
    @POST
    @Path("{id}/recover")
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
        return commands.recover(migration, MigrationRequests.reason(body), Caller.actor(request));
    }

    @GET
    @Path("{id}/validation")
    @Allow(Role.VIEWER)
    @Answers(problems = {ErrorCode.MIGRATION_NOT_FOUND, ErrorCode.VALIDATION_NOT_FOUND})
    public Object validation(@PathParam("id") String id) {
        migrations.get(id);
        return validations
                .latest(id)
                .orElseThrow(() ->
                        new Problem(ErrorCode.VALIDATION_NOT_FOUND, "migration " + id + " has not been validated yet"));
    }

    @GET
    @Path("{id}/report")
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.MIGRATION_NOT_FOUND)
    public ObjectNode report(@PathParam("id") String id) {
        return report.of(migrations.get(id));
    }

    @GET
    @Path("{id}/report")
    @Produces("text/markdown;charset=utf-8;qs=0.5") // a client that takes anything gets JSON
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.MIGRATION_NOT_FOUND)
    public String markdown(@PathParam("id") String id) {
        return MarkdownReport.of(report.of(migrations.get(id)));
    }

    static int parameter(String name, String text, int min, int max) {
        try {
            int value = Integer.parseInt(text);
            if (value >= min && value <= max) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw badParameter(name, "must be a whole number");
        }
        throw badParameter(name, "must be between " + min + " and " + max);
    }

    static Problem badParameter(String name, String detail) {
        return new Problem(
                ErrorCode.INVALID_PARAMETER, "a query parameter is not right", List.of(new FieldError(name, detail)));
    }
}
