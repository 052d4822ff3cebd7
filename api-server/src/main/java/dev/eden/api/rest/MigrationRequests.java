package dev.eden.api.rest;

import dev.eden.activities.store.Tuning;
import dev.eden.api.notify.NotificationKind;
import dev.eden.api.store.MigrationDefinition;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Reads the bodies of {@code /migrations}. What Eden can't do yet is refused by name, never ignored. */
final class MigrationRequests {
    static final String WHY_NO_SHARED_WRITES =
            "must be 0 or 1: between them two servers would accept writes to the same keys at once (split brain), since nothing gives each key one owner";
    private static final String WHY_NO_MISMATCHES =
            "compares reads of a PostgreSQL; a Redis' are not asked of both sides, so that it would never be breached";
    private static final Strategy.WriteMode SOURCE_WRITES =
            new Strategy.WriteMode("dual_write", "old_authoritative", "source", null);

    private MigrationRequests() {}

    record NewMigration(String id, String description, MigrationDefinition definition, Map<String, String> labels) {}

    /** @param receivers names of those that may be told */
    static NewMigration create(byte[] body, Set<String> receivers) {
        Fields fields = Fields.of(body, false);
        String id = fields.requiredId("id");
        String description = fields.text("description", 2000, "");
        MigrationSpec.Gates gates = gates(fields.object("gates"));
        Strategy strategy = requiredStrategy(fields, gates);
        if (strategy.writeMode().asksForCutover()) {
            fields.error(
                    "strategy/write_mode/mode", "a migration begins with dual_write; ask for cutover when it is ready");
        }
        MigrationSpec.Data data = data(fields.object("data"));
        String failureHandling = fields.oneOf("failure_handling", "pause", "rollback_all", "pause", "needs_operator");
        MigrationSpec.CutoverBudget budget = budget(fields.object("cutover"));
        Map<String, String> labels = fields.labels("labels");
        MigrationSpec.Validation validation = validation(fields.object("validation"));
        MigrationDefinition.Notify notify = notify(fields.object("notify"), receivers);
        Fields dns = fields.object("dns");
        if (dns != null && !dns.isEmpty()) {
            fields.error("dns", "is not supported by this version yet");
        }
        fields.done();
        return new NewMigration(
                id,
                description,
                new MigrationDefinition(strategy, data, gates, failureHandling, budget, validation, notify),
                labels);
    }

    /** Null: not asked for. */
    record Patch(
            @Nullable StrategyPatch strategy,
            @Nullable UnaryOperator<Tuning> tuning,
            @Nullable LabelPatch labels,
            String reason) {}

    /**
     * @param strategy what the present one becomes
     * @param shareNamed its type, share of reads or stages were named: only then does a canary that is held move on
     * @param termsNamed which of its terms were: the others stay what the workflow has by then
     * @param onto the same change of another one, for where somebody else was faster
     */
    record StrategyPatch(
            Strategy strategy, boolean shareNamed, List<String> termsNamed, UnaryOperator<Strategy> onto) {}

    /**
     * {@code {strategy?, tuning?, labels?, reason?}}; what each of the three leaves out stays as it is.
     *
     * @param engine null as long as the migration has no interlay
     */
    static Patch patch(byte[] body, MigrationDefinition current, @Nullable String engine) {
        Fields fields = Fields.of(body, false);
        Fields strategy = fields.object("strategy");
        Fields tuning = fields.object("tuning");
        if (!fields.has("strategy") && !fields.has("tuning") && !fields.has("labels")) {
            fields.error("strategy", "is missing, and so are tuning and labels: there is nothing to change");
        }
        Patch patch = new Patch(
                strategy == null
                        ? null
                        : new StrategyPatch(
                                strategy(strategy, current.strategy(), current.gates(), engine),
                                namesShare(strategy),
                                termsNamed(strategy),
                                other -> again(body, other, current.gates(), engine)),
                tuning == null ? null : tuning(tuning, engine),
                fields.has("labels") ? fields.labelPatch("labels") : null,
                fields.text("reason", 2000, ""));
        fields.done();
        return patch;
    }

    private static Strategy again(byte[] body, Strategy other, MigrationSpec.Gates gates, @Nullable String engine) {
        Fields fields = Objects.requireNonNull(Fields.of(body, false).object("strategy"));
        Strategy merged = strategy(fields, other, gates, engine);
        fields.refuse();
        return merged;
    }

    /** {@code null} goes back to the default; what is left out stays what it is when this is set. */
    private static UnaryOperator<Tuning> tuning(Fields fields, @Nullable String engine) {
        if ("postgres".equals(engine) && fields.has("batch") && !fields.isNull("batch")) {
            fields.error("batch", "is for Redis; a PostgreSQL is not copied in batches");
        }
        Tuned rate = tuned(fields, "copy_rate", 64 << 10, 1L << 40);
        Tuned parallelism = tuned(fields, "parallelism", 1, 16);
        Tuned batch = tuned(fields, "batch", 1, 8192);
        Tuned latency = tuned(fields, "max_source_latency_ms", 1, 60_000);
        fields.end();
        return current -> new Tuning(
                rate.named() ? rate.value() : current.copyRate(),
                parallelism.named() ? parallelism.small() : current.parallelism(),
                batch.named() ? batch.small() : current.batch(),
                latency.named() ? latency.small() : current.maxSourceLatencyMs());
    }

    private record Tuned(boolean named, @Nullable Long value) {
        @Nullable
        Integer small() {
            return value == null ? null : (Integer) value.intValue();
        }
    }

    private static Tuned tuned(Fields fields, String name, long min, long max) {
        boolean valued = fields.has(name) && !fields.isNull(name);
        return new Tuned(fields.has(name), valued ? (Long) fields.integer(name, min, min, max) : null);
    }

    /** {@code {reason?}}, or no body at all. */
    static String reason(byte[] body) {
        Fields fields = Fields.of(body, true);
        String reason = reason(fields);
        fields.done();
        return reason;
    }

    private static String reason(Fields fields) {
        return fields.text("reason", 2000, "");
    }

    /** What comes with an operator's command; {@code phase}: the only one that it is meant for. */
    record Told(
            String reason, boolean emptyTarget, @Nullable String phase) {}

    /** {@code {reason?, phase?}}, or no body at all; of what ends a migration {@code empty_target} too. */
    static Told told(byte[] body, boolean ends) {
        Fields fields = Fields.of(body, true);
        String phase = fields.oneOf("phase", "", MigrationResource.PHASES.toArray(String[]::new));
        Told told =
                new Told(reason(fields), ends && fields.bool("empty_target", false), phase.isEmpty() ? null : phase);
        fields.done();
        return told;
    }

    /** {@code {endpoint}}. */
    static String target(byte[] body) {
        Fields fields = Fields.of(body, false);
        String endpoint = fields.requiredId("endpoint");
        fields.done();
        return endpoint;
    }

    private static Strategy requiredStrategy(Fields fields, MigrationSpec.Gates gates) {
        if (!fields.has("strategy")) {
            fields.error("strategy", "is missing");
            return strategyDefaults("canary");
        }
        Fields strategy = fields.object("strategy");
        return strategy == null ? strategyDefaults("canary") : strategy(strategy, null, gates, null);
    }

    private static Strategy strategyDefaults(String type) {
        return new Strategy(type, 0, "session", Strategy.DEFAULT_MAX_WAIT_MS, null, SOURCE_WRITES);
    }

    /** Shares and stages are of a type; the rest outlives its change. */
    private static Strategy of(String type, Strategy current) {
        return new Strategy(type, 0, current.consistency(), current.maxWaitMs(), null, current.writeMode());
    }

    private static Strategy strategy(
            Fields fields, @Nullable Strategy current, MigrationSpec.Gates gates, @Nullable String engine) {
        String type =
                fields.oneOf("type", current == null ? null : current.type(), "canary", "blue_green", "immediate");
        Strategy base =
                current == null ? strategyDefaults(type) : current.type().equals(type) ? current : of(type, current);
        double share = fields.number("read_percentage", base.readPercentage(), 0, 1);
        if (!type.equals("canary") && fields.has("read_percentage") && share > 0 && share < 1) {
            fields.error("read_percentage", "only a canary shifts reads before the cutover");
        }
        String consistency = fields.oneOf("consistency", base.consistency(), "session", "global");
        Duration maxWait = fields.duration(
                "max_wait",
                Duration.ofMillis(base.maxWaitMs()),
                Duration.ofMillis(1),
                Duration.ZERO,
                Duration.ofSeconds(1));
        // A share that is named alone ends the plan, even where it is what the strategy has had beside it.
        List<Strategy.Stage> planned = fields.has("read_percentage") ? null : base.stages();
        List<Strategy.Stage> stages = fields.has("stages") ? stages(fields, gates, engine) : planned;
        if (stages != null && !type.equals("canary")) {
            fields.error("stages", "only a canary has stages");
        }
        Strategy.WriteMode inherited = base.writeMode().asksForCutover() ? SOURCE_WRITES : base.writeMode();
        Strategy.WriteMode writeMode = inherited;
        Fields mode = fields.object("write_mode");
        if (mode != null) {
            writeMode = writeMode(mode, inherited);
        }
        fields.end();
        return new Strategy(type, share, consistency, maxWait.toMillis(), stages, writeMode);
    }

    private static boolean namesShare(Fields strategy) {
        return strategy.has("type") || strategy.has("read_percentage") || strategy.has("stages");
    }

    private static List<String> termsNamed(Fields strategy) {
        List<String> named = new ArrayList<>();
        for (String term : List.of(Strategy.CONSISTENCY, Strategy.MAX_WAIT)) {
            if (strategy.has(term)) {
                named.add(term);
            }
        }
        if (strategy.hasWithin("write_mode", Strategy.ACK)) {
            named.add(Strategy.ACK);
        }
        return named;
    }

    private static @Nullable List<Strategy.Stage> stages(
            Fields fields, MigrationSpec.Gates ofMigration, @Nullable String engine) {
        List<Fields> objects = fields.objects("stages", 50);
        if (objects == null) {
            return null;
        }
        List<Strategy.Stage> stages = new ArrayList<>();
        double before = 0;
        for (Fields object : objects) {
            if (!object.has("read_percentage")) {
                object.error("read_percentage", "is missing");
            }
            double share = object.number("read_percentage", before, 0, 1);
            if (share < before) {
                object.error("read_percentage", "must not be less than the stage before");
            }
            before = share;
            Duration bake = object.duration(
                    "bake", Duration.ofMinutes(5), Duration.ofSeconds(1), Duration.ZERO, Duration.ofDays(30));
            if (!bake.isZero() && bake.compareTo(Duration.ofSeconds(1)) < 0) {
                object.error("bake", "must be a second at least, or 0, which waits for advance");
            }
            Fields own = object.object("gates");
            MigrationSpec.Gates gates = own == null ? null : stageGates(own, ofMigration, engine);
            object.end();
            stages.add(new Strategy.Stage(share, bake.toSeconds(), gates));
        }
        return stages;
    }

    private static Strategy.WriteMode writeMode(Fields fields, Strategy.WriteMode inherited) {
        String mode = fields.oneOf("mode", null, "dual_write", "cutover");
        String policy = fields.oneOf("policy", "old_authoritative", "old_authoritative");
        String ack = fields.oneOf("ack", inherited.ack(), "source", "both");
        boolean cutover = mode.equals("cutover");
        double share = fields.number("write_percentage", cutover ? 1 : 0, 0, 1);
        if (share > 0 && share < 1) {
            fields.error("write_percentage", WHY_NO_SHARED_WRITES);
        } else if (cutover && share == 0) {
            fields.error("write_percentage", "a cutover moves all writes: 1");
        } else if (!cutover && share == 1) {
            fields.error(
                    "write_percentage",
                    "with dual_write the source owns all writes; the mode that moves them is cutover");
        }
        fields.end();
        return cutover ? new Strategy.WriteMode(mode, null, ack, 1.0) : new Strategy.WriteMode(mode, policy, ack, null);
    }

    private static MigrationSpec.Data data(@Nullable Fields fields) {
        if (fields == null) {
            return new MigrationSpec.Data("scan", "auto", "fail");
        }
        String ddl = fields.oneOf("ddl", "frozen", "frozen", MigrationSpec.Data.ADDITIVE);
        boolean additive = ddl.equals(MigrationSpec.Data.ADDITIVE);
        String type = fields.oneOf("type", additive ? "logical" : "scan", "scan", "none", "logical", "dms");
        boolean logical = type.equals("logical");
        if (type.equals("dms")) {
            fields.error("type", "dms is not supported by this version yet");
        }
        String mechanism = fields.oneOf("mechanism", "auto", "auto", "psync", "dirty_keys", "logical");
        if (mechanism.equals("dirty_keys")) {
            fields.error("mechanism", "dirty_keys is not supported by this version yet");
        } else if (logical ? mechanism.equals("psync") : mechanism.equals("logical")) {
            fields.error(
                    "mechanism", "PostgreSQL replicates by type logical and mechanism logical, Redis by type scan");
        }
        String replace = fields.oneOf("replace", "fail", "replace", "skip", "fail");
        if (logical && !replace.equals("fail")) {
            fields.error("replace", "a PostgreSQL's target is empty: fail");
        }
        if (additive && !logical) {
            fields.error("ddl", "a schema is what a PostgreSQL has: additive goes with type logical");
        }
        fields.end();
        return new MigrationSpec.Data(type, mechanism, replace, additive ? ddl : null);
    }

    private static MigrationSpec.Gates stageGates(
            Fields fields, MigrationSpec.Gates ofMigration, @Nullable String engine) {
        if (fields.has("max_lag_ms")) {
            fields.error("max_lag_ms", "is the migration's: it is looked at before the canary and by a cutover");
        }
        if ("redis".equals(engine) && fields.has("max_mismatch_rate") && !fields.isNull("max_mismatch_rate")) {
            fields.error("max_mismatch_rate", WHY_NO_MISMATCHES);
        }
        return gates(fields, ofMigration);
    }

    private static MigrationSpec.Gates gates(@Nullable Fields fields) {
        return fields == null ? MigrationSpec.Gates.defaults() : gates(fields, MigrationSpec.Gates.defaults());
    }

    private static MigrationSpec.Gates gates(Fields fields, MigrationSpec.Gates base) {
        MigrationSpec.Gates gates = new MigrationSpec.Gates(
                gate(fields, "max_error_rate", base.maxErrorRate(), 1),
                gate(fields, "max_latency_ratio", base.maxLatencyRatio(), 1000),
                gate(fields, "max_mismatch_rate", base.maxMismatchRate(), 1),
                fields.integer("min_samples", base.minSamples(), 1, 1_000_000_000),
                fields.integer("max_lag_ms", base.maxLagMs(), 1, 3_600_000),
                fields.oneOf("on_breach", base.onBreach(), "rollback", "hold"));
        fields.end();
        return gates;
    }

    /** Null is what an answer has for a gate that is off. */
    private static double gate(Fields fields, String name, double otherwise, double max) {
        return fields.isNull(name) ? -1 : fields.number(name, otherwise, 0, max);
    }

    /** An empty object is nobody, as it was before anybody could be named. */
    private static MigrationDefinition.@Nullable Notify notify(@Nullable Fields fields, Set<String> receivers) {
        if (fields == null || fields.isEmpty()) {
            return null;
        }
        List<String> named = fields.words("receivers", null, receivers, "configure them: docs/configuration.md");
        List<String> on = fields.words("on", NotificationKind.usual(), NotificationKind.labels(), "");
        fields.end();
        return new MigrationDefinition.Notify(named, on);
    }

    private static MigrationSpec.Validation validation(@Nullable Fields fields) {
        if (fields == null) {
            return new MigrationSpec.Validation(true);
        }
        MigrationSpec.Validation validation = new MigrationSpec.Validation(fields.bool("repair", true));
        fields.end();
        return validation;
    }

    private static MigrationSpec.CutoverBudget budget(@Nullable Fields fields) {
        MigrationSpec.CutoverBudget base = MigrationSpec.CutoverBudget.defaults();
        if (fields == null) {
            return base;
        }
        long deadline = fields.integer("deadline_ms", base.deadlineMs(), 10, 10_000);
        int attempts = (int) fields.integer("max_attempts", base.maxAttempts(), 1, 100);
        String open = fields.oneOf("open_transactions", "abort", "abort", MigrationSpec.CutoverBudget.CANCEL);
        MigrationSpec.CutoverBudget budget =
                new MigrationSpec.CutoverBudget(deadline, attempts, open.equals("abort") ? null : open);
        fields.end();
        return budget;
    }
}
