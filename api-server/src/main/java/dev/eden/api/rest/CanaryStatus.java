package dev.eden.api.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.activities.canary.CanaryGates;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.activities.store.StageLedger.Latency;
import dev.eden.api.json.Json;
import dev.eden.api.metrics.TrafficWindow;
import dev.eden.api.store.MigrationDefinition;
import dev.eden.api.store.StatusStore;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.MigrationView;
import dev.eden.workflows.Strategy;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a status says of the canary: its share, and what its present stage has shown of what it is judged by. Pure. */
final class CanaryStatus {
    private CanaryStatus() {}

    /** @param watched the last stage that was watched in order to pass, be it a former one */
    static ObjectNode of(
            MigrationDefinition definition,
            @Nullable MigrationView view,
            TrafficWindow.Figures traffic,
            StatusStore.@Nullable Stage watched,
            long nowMillis) {
        ObjectNode node = Json.mapper().createObjectNode();
        node.put("read_percentage", view == null ? 0 : view.readPercentage());
        node.put("desired", definition.strategy().readPercentage());
        boolean canary = view != null && view.phase() instanceof MigrationPhase.Canary;
        int number = view != null && view.phase() instanceof MigrationPhase.Canary(int stage) ? stage : 0;
        List<Strategy.Stage> stages =
                Objects.requireNonNullElse(definition.strategy().stages(), List.of());
        boolean planned = canary && definition.strategy().type().equals(Strategy.CANARY);
        Optional<Strategy.Stage> present =
                planned && number < stages.size() ? Optional.of(stages.get(number)) : Optional.empty();
        node.put("stage", canary && !stages.isEmpty() ? (Integer) (number + 1) : null);
        node.put("chosen", traffic.chosenShare());
        node.put("served", traffic.servedShare());
        node.set("ineligible", Json.mapper().valueToTree(traffic.ineligible()));
        Gates own = present.isPresent() ? present.get().gates() : null;
        Gates gates = own == null ? definition.gates() : own;
        node.set("gates", canary ? MigrationStatus.stageGates(gates) : null);
        Long until = view == null ? null : view.bakeUntilMillis();
        node.set(
                "bake",
                until == null || present.isEmpty()
                        ? null
                        : bake(until, present.get().bakeSeconds(), gates, watched, nowMillis));
        return node;
    }

    private static ObjectNode bake(
            long until, long seconds, Gates gates, StatusStore.@Nullable Stage watched, long nowMillis) {
        ObjectNode node = Json.mapper().createObjectNode();
        node.put("began_at", Instant.ofEpochMilli(until - seconds * 1_000).toString());
        node.put("ends_at", Instant.ofEpochMilli(until).toString());
        node.put("over", nowMillis >= until);
        node.set("seen", watched == null || watched.bakedAtMillis() != until ? null : seen(gates, watched.counted()));
        return node;
    }

    private static ObjectNode seen(Gates gates, Counted counted) {
        ObjectNode node = Json.mapper().createObjectNode();
        node.put("reads", counted.reads());
        node.put("errors", counted.errors());
        node.put("error_rate", rate(counted.errors(), counted.reads()));
        node.put("compared", counted.compared());
        node.put("mismatched", counted.mismatched());
        node.put("mismatch_rate", rate(counted.mismatched(), counted.compared()));
        node.set(
                "latency",
                CanaryGates.latency(gates, counted).map(CanaryStatus::latency).orElse(null));
        node.set("missing", Json.mapper().valueToTree(CanaryGates.missing(gates, counted)));
        return node;
    }

    private static ObjectNode latency(Latency worst) {
        ObjectNode node = Json.mapper().createObjectNode();
        node.put("ratio", worst.ratio());
        node.put("interlay", worst.interlay());
        node.put("proxy", worst.proxy());
        node.put("target_p99_millis", worst.targetP99Millis());
        node.put("target_samples", worst.targetSamples());
        node.put("source_p99_millis", worst.sourceP99Millis());
        node.put("source_samples", worst.sourceSamples());
        return node;
    }

    private static @Nullable Double rate(long part, long whole) {
        return whole == 0 ? null : (Double) ((double) part / whole);
    }
}
