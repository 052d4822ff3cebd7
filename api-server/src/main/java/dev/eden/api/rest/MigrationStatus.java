package dev.eden.api.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.activities.cutover.CutoverBlockers;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.ReplicationLedger.TableProgress;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.json.Json;
import dev.eden.api.metrics.TrafficWindow;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.RouteReports;
import dev.eden.api.store.StatusStore;
import dev.eden.api.store.StatusStore.StoredStatus;
import dev.eden.api.store.Views;
import dev.eden.api.temporal.LiveViews;
import dev.eden.api.temporal.Orphans;
import dev.eden.api.temporal.WebUi;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.MigrationView;
import dev.eden.workflows.Strategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a migration stands, put together from the workflow's view (the directory's last record where it can't be asked), the
 * route, replication's progress and what proxies report. Each figure has one owner; none is computed twice.
 */
public final class MigrationStatus {
    /** The one command that does not go to a workflow, for there is none. */
    private static final String RECOVER = "recover";

    /** A second is what a replicator lets pass at most. */
    private static final long STALE_MILLIS = 10_000;

    private final LiveViews views;
    private final Orphans orphans;
    private final RouteLedger routes;
    private final StatusStore statuses;
    private final RouteReports reports;
    private final TrafficWindow traffic;
    private final EndpointHealth health;
    private final @Nullable WebUi temporalUi;

    /** {@code temporalUi} null: there is none. */
    public MigrationStatus(
            LiveViews views,
            Orphans orphans,
            RouteLedger routes,
            StatusStore statuses,
            RouteReports reports,
            TrafficWindow traffic,
            EndpointHealth health,
            @Nullable WebUi temporalUi) {
        this.views = views;
        this.orphans = orphans;
        this.routes = routes;
        this.statuses = statuses;
        this.reports = reports;
        this.traffic = traffic;
        this.health = health;
        this.temporalUi = temporalUi;
    }

    /** Asks the store once, then the workflow and the databases, all at once. */
    ObjectNode of(String id) {
        StoredStatus stored = statuses.of(id);
        Migration migration = stored.migration();
        health.refresh(migration.source());
        health.refresh(migration.target());
        Optional<LiveViews.Live> live = migration.started() && !migration.ended()
                ? views.of(migration.id(), migration.revision())
                : Optional.empty();
        return of(
                stored,
                live.map(LiveViews.Live::view)
                        .or(() -> Views.parse(migration.viewJson()))
                        .orElse(null),
                live.map(LiveViews.Live::ageMillis).orElse(null));
    }

    /** A command goes to the workflow, or a workflow begins: what comes of it is to be seen. */
    void commanded(Migration migration) {
        views.commanded(migration.id());
    }

    /** @param viewAgeMillis since the workflow said {@code view}; null where it is the directory's record, or there is none */
    private ObjectNode of(StoredStatus stored, @Nullable MigrationView view, @Nullable Long viewAgeMillis) {
        Migration migration = stored.migration();
        ObjectNode status = Json.mapper().createObjectNode();
        status.put("id", migration.id());
        status.put("description", migration.description());
        status.put("phase", view == null ? migration.phase() : view.phase().label());
        if (view != null && view.phase() instanceof MigrationPhase.NeedsOperator parked) {
            status.put("resumes_to", parked.resumeTo().label());
        }
        status.put("view_age_ms", viewAgeMillis);
        status.put("paused", view != null && view.paused());
        status.put("failed", view != null && Boolean.TRUE.equals(view.failed()));
        status.put("engine", migration.engine());
        status.put("source_endpoint", migration.source());
        status.put("target_endpoint", migration.target());
        status.set("interlays", Json.mapper().valueToTree(migration.interlays()));
        Optional<Progress> progress = migration.started() ? stored.progress() : Optional.empty();
        boolean moving = progress.isPresent() && !migration.ended();
        if (moving) {
            status.put("replication_lag_ms", lag(progress.get()));
        } else {
            status.putNull("replication_lag_ms");
        }
        String source = health.of(migration.source());
        String target = health.of(migration.target());
        status.put("source", source);
        status.put("target", target);
        boolean orphaned = migration.started() && !migration.ended() && orphans.orphaned(migration.id());
        List<String> blockers =
                new ArrayList<>(orphaned ? List.of(Orphans.remedy(migration.id())) : blockers(migration, view));
        if (!orphaned && view != null && view.phase() instanceof MigrationPhase.Canary) {
            blockers.addAll(CutoverBlockers.of(
                    migration.definition().gates(),
                    progress.orElse(null),
                    stored.proxies(),
                    System.currentTimeMillis()));
            CutoverBlockers.silent(stored.proxies()).forEach(blockers::add);
            unhealthy(migration.source(), source).ifPresent(blockers::add);
            unhealthy(migration.target(), target).ifPresent(blockers::add);
        }
        status.put("ready_for_cutover", view != null && view.readyForCutover() && blockers.isEmpty());
        status.set("blockers", Json.mapper().valueToTree(blockers));
        if (progress.isPresent()) {
            status.set("progress", progress(progress.get(), migration.ended()));
        } else {
            status.putNull("progress");
        }
        status.set(
                "canary",
                CanaryStatus.of(
                        migration.definition(),
                        view,
                        traffic.figures(migration.interlays()),
                        stored.stage(),
                        System.currentTimeMillis()));
        route(stored, status);
        status.put("flips", view == null ? 0 : view.flips());
        status.set("attempts", attempts(stored.attempts()));
        status.put("last_reason", view == null ? "" : view.lastReason());
        status.set("strategy", strategy(migration.definition().strategy()));
        status.set("tuning", Json.mapper().valueToTree(stored.tuning()));
        status.set("data", Json.mapper().valueToTree(migration.definition().data()));
        status.set("gates", gates(migration.definition().gates()));
        MigrationSpec.Validation validation = migration.definition().validation();
        status.putObject("validation").put("repair", validation == null || validation.repair());
        status.put("failure_handling", migration.definition().failureHandling());
        status.set("cutover", Json.mapper().valueToTree(migration.definition().cutover()));
        status.set("notify", Json.mapper().valueToTree(migration.definition().told()));
        status.set("labels", Json.mapper().valueToTree(migration.labels()));
        status.put("created_at", migration.createdAt());
        status.put("created_by", migration.createdBy());
        status.put("started_at", migration.startedAt());
        status.put("ended_at", migration.endedAt());
        status.put("updated_at", migration.updatedAt());
        List<String> allowed = orphaned ? List.of(RECOVER) : allowed(migration, view);
        status.set("allowed", Json.mapper().valueToTree(allowed));
        status.set("links", links(migration, allowed));
        return status;
    }

    /** One line of the list of migrations; asks nobody but the directory. */
    static ObjectNode summary(MigrationStore.Summary migration) {
        ObjectNode summary = Json.mapper().createObjectNode();
        summary.put("id", migration.id());
        summary.put("description", migration.description());
        summary.put("phase", migration.phase());
        summary.put("engine", migration.engine());
        summary.put("source_endpoint", migration.source());
        summary.put("target_endpoint", migration.target());
        summary.set("interlays", Json.mapper().valueToTree(migration.interlays()));
        summary.set("labels", Json.mapper().valueToTree(migration.labels()));
        summary.put("created_at", migration.createdAt());
        summary.put("started_at", migration.startedAt());
        summary.put("ended_at", migration.endedAt());
        summary.put("updated_at", migration.updatedAt());
        return summary;
    }

    /** Labels of commands that would be taken now. */
    static List<String> allowed(Migration migration, @Nullable MigrationView view) {
        if (migration.ended()) {
            return List.of();
        }
        if (!migration.started()) {
            return migration.source() == null ? List.of() : List.of("migrate");
        }
        return view == null ? List.of() : view.allowedCommands();
    }

    private static List<String> blockers(Migration migration, @Nullable MigrationView view) {
        if (migration.ended()) {
            return List.of("the migration has ended");
        }
        if (!migration.started()) {
            return List.of("the migration has not been started");
        }
        return view == null ? List.of("the workflow has not reported yet") : view.blockers();
    }

    private static Optional<String> unhealthy(@Nullable String endpoint, String state) {
        return state.equals("healthy") ? Optional.empty() : Optional.of("endpoint " + endpoint + " is " + state);
    }

    /** @param ended nothing moves any more, and nothing is left to wait for */
    private static ObjectNode progress(Progress p, boolean ended) {
        ObjectNode node = Json.mapper().createObjectNode();
        node.put("state", p.state());
        node.put("keys_done", p.keysDone());
        node.put("keys_total", p.keysTotal());
        node.put("bytes", p.bytes());
        node.put("rate", ended ? 0 : p.keysPerSecond());
        node.put("eta_seconds", ended ? null : known(p.etaSeconds()));
        node.put("source_offset", p.sourceOffset());
        node.put("applied_offset", p.appliedOffset());
        node.put("reverse_proven", p.reverseProven());
        node.put("conflicts", p.conflicts());
        node.put("problem", p.problem());
        node.put("at_millis", p.atMillis());
        List<TableProgress> tables = p.tables();
        if (tables != null && !tables.isEmpty()) {
            ArrayNode list = node.putArray("tables");
            tables.forEach(table -> list.addObject()
                    .put("name", table.name())
                    .put("state", table.state())
                    .put("rows", table.rows())
                    .put("rows_total", table.rowsTotal())
                    .put("bytes", table.bytes())
                    .put("rate", ended ? 0 : table.rate())
                    .put("eta_seconds", ended ? null : known(table.etaSeconds())));
        }
        return node;
    }

    /** What nobody has told for a while is not what is now. */
    private static @Nullable Long lag(Progress p) {
        return p.atMillis() < System.currentTimeMillis() - STALE_MILLIS ? null : known(p.lagMs());
    }

    /** What those who measure write as a negative number is not known. */
    private static @Nullable Long known(long figure) {
        return figure < 0 ? null : (Long) figure;
    }

    /** As a request names them; null: off. */
    private static ObjectNode gates(MigrationSpec.Gates gates) {
        ObjectNode node = Json.mapper().valueToTree(gates);
        node.properties().forEach(gate -> {
            if (gate.getValue().isNumber() && gate.getValue().asDouble() < 0) {
                gate.setValue(node.nullNode());
            }
        });
        return node;
    }

    /** The same of a stage, which the lag does not hold up. */
    static ObjectNode stageGates(MigrationSpec.Gates gates) {
        ObjectNode node = gates(gates);
        node.remove("max_lag_ms");
        return node;
    }

    /** What the cutover is allowed to cost, and what the last rehearsal cost. */
    ObjectNode forecast(Migration migration) {
        ObjectNode forecast = Json.mapper().createObjectNode();
        forecast.put("pause_at_most_ms", migration.definition().cutover().deadlineMs());
        forecast.put("attempts_at_most", migration.definition().cutover().maxAttempts());
        forecast.putNull("rehearsed_pause_ms");
        for (JsonNode attempt : attempts(migration)) {
            if (attempt.path("outcome").asText().equals("rehearsed")) {
                forecast.put("rehearsed_pause_ms", pauseMillis(attempt));
            }
        }
        return forecast;
    }

    /** Milliseconds from the hold until all was open again; null where that is not known: the attempt's coordinator was lost. */
    static @Nullable Double pauseMillis(JsonNode attempt) {
        JsonNode micros = attempt.at("/report/pause_micros");
        return micros.isNumber() ? (Double) (micros.asLong() / 1_000.0) : null;
    }

    private static void route(StoredStatus stored, ObjectNode status) {
        StatusStore.Route route = stored.route();
        if (route == null) {
            Migration migration = stored.migration();
            status.putNull("epoch");
            String resting = stored.resting();
            boolean finalizing = resting != null
                    && resting.equals(migration.target())
                    && !migration.phase().equals("rolled_back");
            boolean target = migration.phase().equals("completed") || finalizing;
            status.put("active", target ? migration.target() : migration.source());
            status.putNull("route_state");
            return;
        }
        status.put("epoch", route.epoch());
        status.put("active", route.active());
        status.put("route_state", route.state());
    }

    /** The proxies with which this server can lead no attempt, in words. */
    List<String> unspoken(String migration) {
        return routes.joined(migration).stream()
                .flatMap(proxy -> proxy.unspoken().stream())
                .toList();
    }

    /** Attempts and rehearsals, oldest first. */
    ArrayNode attempts(Migration migration) {
        return attempts(reports.attempts(migration.id()));
    }

    private static ArrayNode attempts(List<RouteReports.AttemptReport> reported) {
        ArrayNode attempts = Json.mapper().createArrayNode();
        for (RouteReports.AttemptReport attempt : reported) {
            ObjectNode node = attempts.addObject();
            node.put("attempt", attempt.attempt());
            node.put("direction", attempt.direction());
            node.put("outcome", attempt.outcome());
            node.put("at_millis", attempt.atMillis());
            node.set("report", Json.snakeCase(Json.tree(attempt.reportJson())));
        }
        return attempts;
    }

    /** The strategy in the words of the API. */
    static ObjectNode strategy(Strategy strategy) {
        ObjectNode node = Json.mapper().createObjectNode();
        node.put("type", strategy.type());
        node.put("read_percentage", strategy.readPercentage());
        node.put("consistency", strategy.consistency());
        node.put("max_wait", strategy.maxWaitMs() + "ms");
        List<Strategy.Stage> stages = strategy.stages();
        if (stages != null) {
            ArrayNode array = node.putArray("stages");
            for (Strategy.Stage stage : stages) {
                ObjectNode one = array.addObject()
                        .put("read_percentage", stage.readPercentage())
                        .put("bake", stage.bakeSeconds() + "s");
                if (stage.gates() != null) {
                    one.set("gates", stageGates(stage.gates()));
                }
            }
        }
        Strategy.WriteMode mode = strategy.writeMode();
        ObjectNode write = node.putObject("write_mode").put("mode", mode.mode());
        if (mode.policy() != null) {
            write.put("policy", mode.policy());
        }
        write.put("ack", mode.ack());
        if (mode.writePercentage() != null) {
            write.put("write_percentage", mode.writePercentage());
        }
        return node;
    }

    private ObjectNode links(Migration migration, List<String> allowed) {
        String self = "/api/v1/migrations/" + migration.id();
        ObjectNode links = Json.mapper().createObjectNode();
        links.put("self", self);
        links.put("status", self + "/status");
        links.put("plan", self + "/plan");
        links.put("events", self + "/events");
        links.put("validation", self + "/validation");
        links.put("report", self + "/report");
        if (temporalUi != null && migration.started()) {
            links.put("temporal_ui", temporalUi.workflow(migration.id()));
        }
        ArrayNode next = links.putArray("next");
        for (String command : allowed) {
            if (command.equals("patch_strategy")) {
                next.add("PATCH " + self);
            } else {
                next.add("POST " + self + "/" + command);
            }
        }
        return links;
    }
}
