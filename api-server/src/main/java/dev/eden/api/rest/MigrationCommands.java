package dev.eden.api.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.activities.copy.TunedForecast;
import dev.eden.activities.store.Tuning;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.ForecastStore;
import dev.eden.api.store.InterlayStore;
import dev.eden.api.store.MigrationLabels;
import dev.eden.api.store.MigrationStarts;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.TuningStore;
import dev.eden.api.store.Views;
import dev.eden.api.temporal.Orchestrator;
import dev.eden.workflows.Command;
import dev.eden.workflows.CommandReceipt;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.MigrationView;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.CutoverActivities.Readiness;
import dev.eden.workflows.activity.CutoverActivities.Rehearsal;
import dev.eden.workflows.activity.PreparationActivities.CopyForecast;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Plan, start and commands: what is refused before it reaches the workflow, and what the workflow answers. */
public final class MigrationCommands {
    private static final Logger LOGGER = LoggerFactory.getLogger(MigrationCommands.class);

    /** What is obeyed is recorded at once, unless the workflow has to end something else first. */
    private static final Duration RECORDED = Duration.ofSeconds(1);

    private final MigrationStore migrations;
    private final MigrationStarts starts;
    private final TuningStore tunings;
    private final MigrationLabels labels;
    private final Orchestrator orchestrator;
    private final MigrationStatus status;
    private final ForecastStore forecasts;
    private final Steps steps;
    private final MigrationRecovery recovery;

    /** What is done here and now, beside the workflow. */
    public record Steps(
            Function<MigrationSpec, Preflight> preflight,
            Function<MigrationSpec, CopyForecast> forecast,
            Function<MigrationSpec, Readiness> readiness,
            Function<MigrationSpec, Rehearsal> rehearse) {}

    public MigrationCommands(
            MigrationStore migrations,
            MigrationStarts starts,
            TuningStore tunings,
            MigrationLabels labels,
            Orchestrator orchestrator,
            MigrationStatus status,
            ForecastStore forecasts,
            Steps steps,
            MigrationRecovery recovery) {
        this.migrations = migrations;
        this.starts = starts;
        this.tunings = tunings;
        this.labels = labels;
        this.orchestrator = orchestrator;
        this.status = status;
        this.forecasts = forecasts;
        this.steps = steps;
        this.recovery = recovery;
    }

    /** Findings, and step by step what {@code migrate} would do; once started, the copy's forecast of then beside what it took. */
    ObjectNode plan(Migration migration) {
        MigrationSpec spec = spec(migration);
        // Nothing is to be found out for one that has ended, and its endpoints may be gone.
        Preflight found =
                migration.ended() ? new Preflight(List.of()) : steps.preflight().apply(spec);
        ObjectNode plan = Json.mapper().createObjectNode();
        plan.put("migration", migration.id());
        plan.put("startable", !found.refused() && !migration.started());
        plan.put("started", migration.started());
        plan.set(
                "copy_forecast",
                migration.started()
                        ? forecasts.of(migration.id()).orElse(null)
                        : Json.mapper().valueToTree(forecast(spec)));
        plan.put(
                "copy_took_seconds",
                forecasts
                        .copyTook(migration.id())
                        .map(took -> took.toMillis() / 1_000.0)
                        .orElse(null));
        plan.set("findings", Json.mapper().valueToTree(found.findings()));
        plan.set("forecast", status.forecast(migration));
        plan.set("pauses", MigrationReport.pauses(status.attempts(migration)));
        ArrayNode words = plan.putArray("steps");
        PlanSteps.of(spec).forEach(words::add);
        return plan;
    }

    Response migrate(Migration migration, String reason, String actor) {
        if (migration.started() && starts.claimedByThisRequest()) {
            return accepted(status.of(migration.id()));
        }
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
        List<InterlayStore.LeftOut> leftOut = starts.leftOut(migration);
        Preflight found = steps.preflight().apply(spec);
        if (found.refused()) {
            throw new Problem(
                            ErrorCode.PREFLIGHT_REFUSED, "preflight of migration " + migration.id() + " found failures")
                    .with("findings", found.findings());
        }
        CopyForecast forecast = forecast(spec);
        status.commanded(migration);
        starts.claim(migration, leftOut, actor, reason).ifPresent(claim -> {
            orchestrator.start(spec, () -> starts.withdraw(claim));
            starts.started(claim);
        });
        if (forecast != null) {
            forecasts.made(migration.id(), forecast);
        }
        LOGGER.atInfo()
                .addKeyValue("migration", migration.id())
                .addKeyValue("actor", actor)
                .log("migration started");
        return accepted(status.of(migration.id()));
    }

    /** A change of what has not begun; where it has, the refusal names what is possible instead. */
    void beforeStart(Migration migration, Runnable change) {
        try {
            settleStart(migration);
            change.run();
        } catch (Problem refused) {
            boolean begun = refused.code() == ErrorCode.MIGRATION_STARTED && migration.started();
            throw begun
                    ? refused.with(
                            "allowed",
                            MigrationStatus.allowed(
                                    migration, Views.parse(migration.viewJson()).orElse(null)))
                    : refused;
        }
    }

    /** Before a change that a start has in its way: one that was given up may have come to nothing. */
    private void settleStart(Migration migration) {
        try {
            starts.settle(migration, orchestrator::runs);
        } catch (Problem e) {
            LOGGER.atDebug()
                    .addKeyValue("migration", migration.id())
                    .setCause(e)
                    .log("nobody knows whether the start was obeyed");
        }
    }

    /** Null where the source can't be asked; why not is among preflight's findings. */
    private @Nullable CopyForecast forecast(MigrationSpec spec) {
        try {
            return TunedForecast.of(steps.forecast().apply(spec), tunings.of(spec.id()));
        } catch (RuntimeException e) {
            LOGGER.atInfo()
                    .addKeyValue("migration", spec.id())
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("no forecast: the source can't be asked");
            return null;
        }
    }

    Response command(Migration migration, String command, MigrationRequests.Told told, String commandId, String actor) {
        refuseUnlessRunning(migration);
        Command.Kind kind = Command.Kind.valueOf(command.toUpperCase(Locale.ROOT));
        return send(
                migration,
                new Command(kind, commandId, actor, told.reason(), null, told.emptyTarget() ? Boolean.TRUE : null)
                        .meantFor(told.phase()));
    }

    /** The strategy first: where it is refused, tuning and labels stay too. */
    Response patch(Migration migration, MigrationRequests.Patch patch, String commandId, String actor) {
        UnaryOperator<Tuning> tuning = patch.tuning();
        LabelPatch labelled = patch.labels();
        MigrationRequests.StrategyPatch strategy = patch.strategy();
        if (labelled != null) {
            labelled.apply(migration.labels()); // too many are refused before anything has been changed
        }
        if (strategy == null && migration.ended()) {
            throw ended(migration);
        }
        Response answer =
                strategy == null ? Response.ok().build() : patch(migration, strategy, patch.reason(), commandId, actor);
        if (tuning == null && labelled == null) {
            return answer;
        }
        if (tuning != null) {
            tunings.set(migration, tuning, actor, patch.reason());
        }
        if (labelled != null) {
            labels.change(migration.id(), labelled, actor, patch.reason());
        }
        return Response.status(answer.getStatus())
                .entity(status.of(migration.id()))
                .build();
    }

    private Response patch(
            Migration migration, MigrationRequests.StrategyPatch patch, String reason, String commandId, String actor) {
        Strategy strategy = patch.strategy();
        MigrationStore.refuseUnfit(migration, strategy);
        if (!migration.started() && !migration.ended()) {
            if (strategy.writeMode().asksForCutover()) {
                throw new Problem(ErrorCode.COMMAND_REFUSED, "a migration that has not been started can't be cut over")
                        .with("allowed", MigrationStatus.allowed(migration, null))
                        .with("blockers", List.of("the migration has not been started"));
            }
            settleStart(migration);
            Migration patched = migrations.patchBeforeStart(migration.id(), patch.onto(), actor, reason);
            return Response.ok(status.of(patched.id())).build();
        }
        refuseUnlessRunning(migration);
        return send(
                migration,
                new Command(Command.Kind.PATCH_STRATEGY, commandId, actor, reason, strategy)
                        .naming(patch.shareNamed(), patch.termsNamed()));
    }

    /** Runs here and now, beside the workflow: the route row lets one attempt or rehearsal in at a time. */
    Response rehearse(Migration migration, String reason, String actor) {
        refuseUnlessRunning(migration);
        MigrationView view = orchestrator
                .view(migration.id())
                .orElseThrow(() -> new Problem(
                        ErrorCode.COMMAND_TIMED_OUT, "the workflow does not say where the migration stands"));
        if (!(view.phase() instanceof MigrationPhase.Canary)) {
            throw new Problem(
                            ErrorCode.COMMAND_REFUSED,
                            "the phase is " + view.phase().label() + ", a cutover is rehearsed in canary")
                    .with("allowed", view.allowedCommands())
                    .with("blockers", view.blockers());
        }
        // Paused, say: clients are held for a cutover that could not follow.
        if (!view.blockers().isEmpty()) {
            throw new Problem(ErrorCode.COMMAND_REFUSED, "not ready for cutover: " + String.join("; ", view.blockers()))
                    .with("allowed", view.allowedCommands())
                    .with("blockers", view.blockers());
        }
        refuseUnspoken(migration);
        refuseUnready(migration, view);
        Rehearsal rehearsal = steps.rehearse().apply(spec(migration));
        if (rehearsal.outcome().equals("refused")) {
            throw new Problem(ErrorCode.COMMAND_REFUSED, "the rehearsal was refused; nobody has waited")
                    .with("allowed", view.allowedCommands())
                    .with("blockers", rehearsal.blockers());
        }
        double pause = rehearsal.pauseMicros() / 1_000.0;
        long deadline = migration.definition().cutover().deadlineMs();
        String outcome = rehearsal.outcome() + ", pause " + pause + " ms of " + deadline;
        migrations.commandDone(
                migration.id(), "rehearse", actor, reason.isEmpty() ? outcome : reason + " (" + outcome + ")");
        ObjectNode answer = Json.mapper().createObjectNode();
        answer.put("migration", migration.id());
        answer.put("outcome", rehearsal.outcome());
        answer.put("pause_ms", pause);
        answer.put("deadline_ms", deadline);
        answer.put("within_deadline", pause <= deadline);
        answer.set("blockers", Json.mapper().valueToTree(rehearsal.blockers()));
        answer.set("report", Json.snakeCase(Json.tree(rehearsal.reportJson())));
        return Response.ok(answer).build();
    }

    Response recover(Migration migration, String reason, String actor) {
        refuseUnlessRunning(migration);
        status.commanded(migration);
        recovery.recover(migration, spec(migration), reason);
        migrations.commandDone(migration.id(), "recover", actor, reason);
        return accepted(status.of(migration.id()));
    }

    /** Said at once to whoever asks; whoever asks elsewhere (signals, stages) has it from the attempt, which is refused. */
    private void refuseUnspoken(Migration migration) {
        List<String> unspoken = status.unspoken(migration.id());
        if (!unspoken.isEmpty()) {
            throw new Problem(
                            ErrorCode.WIRE_UNSUPPORTED, "the cutover of migration " + migration.id() + " can't be led")
                    .with("blockers", unspoken);
        }
    }

    /** What the attempt would be refused with after it was accepted, said to whoever asks for it. */
    private void refuseUnready(Migration migration, MigrationView view) {
        Readiness readiness = steps.readiness().apply(spec(migration));
        if (!readiness.ready()) {
            throw new Problem(
                            ErrorCode.COMMAND_REFUSED,
                            "not ready for cutover: " + String.join("; ", readiness.blockers()))
                    .with("allowed", view.allowedCommands())
                    .with("blockers", readiness.blockers());
        }
    }

    private Response send(Migration migration, Command command) {
        Strategy wanted = command.strategy();
        boolean cutover = command.kind() == Command.Kind.CUTOVER
                || wanted != null && wanted.writeMode().asksForCutover();
        try {
            return cutover ? cutOver(migration, command) : obey(migration, command);
        } catch (Problem refused) {
            if (cutover && refused.extensions().get("blockers") instanceof List<?> blockers) {
                refused(
                        migration,
                        command,
                        blockers.stream().map(String::valueOf).toList());
            }
            throw refused;
        }
    }

    private Response cutOver(Migration migration, Command command) {
        refuseUnspoken(migration);
        // In any other case the workflow says itself what it does with it: refuses it, or has obeyed it already.
        orchestrator
                .view(migration.id())
                .filter(MigrationView::readyForCutover)
                .ifPresent(view -> refuseUnready(migration, view));
        return obey(migration, command);
    }

    /** Whoever asked is told why not; so is whoever reads the events. */
    private void refused(Migration migration, Command command, List<String> blockers) {
        String why = String.join("; ", blockers);
        try {
            migrations.cutoverRefused(
                    migration.id(),
                    command.id(),
                    command.actor(),
                    command.reason().isEmpty() ? why : command.reason() + " (" + why + ")",
                    blockers);
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addKeyValue("migration", migration.id())
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("a refused cutover could not be recorded");
        }
    }

    private Response obey(Migration migration, Command command) {
        status.commanded(migration);
        CommandReceipt receipt = orchestrator.send(migration.id(), command);
        if (!receipt.repeated()) {
            migrations.awaitRecord(migration, RECORDED);
        }
        status.commanded(migration); // what was heard meanwhile may be from before it was obeyed
        if (!receipt.repeated()) {
            LOGGER.atInfo()
                    .addKeyValue("migration", migration.id())
                    .addKeyValue("phase", receipt.view().phase().label())
                    .addKeyValue("command", command.kind().label())
                    .addKeyValue("actor", command.actor())
                    .log("command accepted");
        }
        return accepted(status.of(migration.id())); // the receipt's view is from before it was obeyed
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
