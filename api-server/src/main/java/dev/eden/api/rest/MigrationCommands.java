package dev.eden.api.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.Views;
import dev.eden.api.temporal.Orchestrator;
import dev.eden.workflows.Command;
import dev.eden.workflows.CommandReceipt;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Plan, start and commands: what is refused before it reaches the workflow, and what the workflow answers. */
public final class MigrationCommands {
    private static final Logger LOGGER = LoggerFactory.getLogger(MigrationCommands.class);

    private final MigrationStore migrations;
    private final Orchestrator orchestrator;
    private final MigrationStatus status;
    private final Function<MigrationSpec, Preflight> preflight;

    public MigrationCommands(
            MigrationStore migrations,
            Orchestrator orchestrator,
            MigrationStatus status,
            Function<MigrationSpec, Preflight> preflight) {
        this.migrations = migrations;
        this.orchestrator = orchestrator;
        this.status = status;
        this.preflight = preflight;
    }

    /** Findings, and step by step what {@code migrate} would do. */
    ObjectNode plan(Migration migration) {
        MigrationSpec spec = spec(migration);
        Preflight found = preflight.apply(spec);
        ObjectNode plan = Json.mapper().createObjectNode();
        plan.put("migration", migration.id());
        plan.put("startable", !found.refused() && !migration.started());
        plan.set("findings", Json.mapper().valueToTree(found.findings()));
        plan.set("forecast", MigrationStatus.forecast(migration));
        ArrayNode steps = plan.putArray("steps");
        PlanSteps.of(spec).forEach(steps::add);
        return plan;
    }

    Response migrate(Migration migration, String reason, String actor) {
        if (migration.ended()) {
            throw ended(migration);
        }
        if (migration.started()) {
            throw new Problem(
                            ErrorCode.MIGRATION_STARTED,
                            "migration " + migration.id() + " is in phase " + migration.phase())
                    .with(
                            "allowed",
                            MigrationStatus.allowed(
                                    migration, Views.parse(migration.viewJson()).orElse(null)));
        }
        MigrationSpec spec = spec(migration);
        Preflight found = preflight.apply(spec);
        if (found.refused()) {
            throw new Problem(
                            ErrorCode.PREFLIGHT_REFUSED, "preflight of migration " + migration.id() + " found failures")
                    .with("findings", found.findings());
        }
        orchestrator.start(spec);
        Migration started = migrations.started(migration.id(), actor, reason);
        LOGGER.atInfo()
                .addKeyValue("migration", migration.id())
                .addKeyValue("actor", actor)
                .log("migration started");
        return accepted(status.of(started));
    }

    Response command(Migration migration, String command, String reason, String commandId, String actor) {
        refuseUnlessRunning(migration);
        Command.Kind kind = Command.Kind.valueOf(command.toUpperCase(Locale.ROOT));
        return send(migration, new Command(kind, commandId, actor, reason, null));
    }

    Response patch(Migration migration, MigrationRequests.Patch patch, String commandId, String actor) {
        if (!migration.started() && !migration.ended()) {
            if (patch.strategy().writeMode().asksForCutover()) {
                throw new Problem(ErrorCode.COMMAND_REFUSED, "a migration that has not been started can't be cut over")
                        .with("allowed", MigrationStatus.allowed(migration, null))
                        .with("blockers", List.of("the migration has not been started"));
            }
            Migration patched = migrations.patchBeforeStart(migration.id(), patch.strategy(), actor, patch.reason());
            return Response.ok(status.of(patched)).build();
        }
        refuseUnlessRunning(migration);
        return send(
                migration,
                new Command(Command.Kind.PATCH_STRATEGY, commandId, actor, patch.reason(), patch.strategy()));
    }

    private Response send(Migration migration, Command command) {
        CommandReceipt receipt = orchestrator.send(migration.id(), command);
        if (!receipt.repeated()) {
            @Nullable Strategy strategy = command.strategy();
            migrations.commandAccepted(migration, command.kind().label(), command.actor(), command.reason(), strategy);
            LOGGER.atInfo()
                    .addKeyValue("migration", migration.id())
                    .addKeyValue("phase", receipt.view().phase().label())
                    .addKeyValue("command", command.kind().label())
                    .addKeyValue("actor", command.actor())
                    .log("command accepted");
        }
        return accepted(status.of(migrations.get(migration.id()), receipt.view()));
    }

    private static void refuseUnlessRunning(Migration migration) {
        if (migration.ended()) {
            throw ended(migration);
        }
        if (!migration.started()) {
            throw new Problem(ErrorCode.MIGRATION_NOT_STARTED, "migration " + migration.id() + " has not been started")
                    .with("allowed", MigrationStatus.allowed(migration, null));
        }
    }

    private static MigrationSpec spec(Migration migration) {
        String engine = migration.engine();
        String source = migration.source();
        String target = migration.target();
        if (engine == null || source == null || target == null) {
            throw new Problem(
                    ErrorCode.MIGRATION_WITHOUT_INTERLAY,
                    "migration " + migration.id() + " has no interlay: its source and target are not known");
        }
        return migration
                .definition()
                .spec(migration.id(), migration.description(), engine, source, target, migration.interlays());
    }

    private static Problem ended(Migration migration) {
        return new Problem(
                        ErrorCode.MIGRATION_ENDED, "migration " + migration.id() + " has ended: " + migration.phase())
                .with("allowed", List.of());
    }

    private static Response accepted(ObjectNode entity) {
        return Response.status(Response.Status.ACCEPTED).entity(entity).build();
    }
}
