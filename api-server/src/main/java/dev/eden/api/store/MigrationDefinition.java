package dev.eden.api.store;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A migration as asked for, without its id and before it is known which endpoints it moves. Stored as JSON: additive evolution only; {@code validation} null: from before; {@code told} null: nobody is. */
public record MigrationDefinition(
        Strategy strategy,
        MigrationSpec.Data data,
        MigrationSpec.Gates gates,
        String failureHandling,
        MigrationSpec.CutoverBudget cutover,
        MigrationSpec.@Nullable Validation validation,
        @JsonProperty("notify") @Nullable Notify told) {

    /**
     * Who is told of what; no workflow knows of it.
     *
     * @param receivers names of those that servers are configured with
     * @param on labels of what they are told of
     */
    public record Notify(List<String> receivers, List<String> on) {
        public Notify {
            receivers = List.copyOf(receivers);
            on = List.copyOf(on);
        }
    }

    public MigrationDefinition withStrategy(Strategy patched) {
        return new MigrationDefinition(patched, data, gates, failureHandling, cutover, validation, told);
    }

    /** What is asked for that {@code engine} has nothing for, and what to say instead; null where all of it can be done. */
    public @Nullable String unfit(String engine) {
        return switch (engine) {
            case "redis" -> unfitForRedis();
            case "postgres" ->
                strategy.writeMode().ack().equals("both")
                        ? "strategy.write_mode.ack both is for redis: replies of a PostgreSQL do not wait for the other side; leave it out, or say source"
                        : null;
            default -> throw new IllegalArgumentException(engine);
        };
    }

    private @Nullable String unfitForRedis() {
        if (!data.type().equals("scan")) {
            return "data.type " + data.type()
                    + " is for postgres: a Redis is copied by scan; leave it out, or say scan";
        }
        if (comparesReads()) {
            return "max_mismatch_rate is for postgres: the reads of a Redis are not asked of both sides, so the gate would never be breached; leave it out";
        }
        return cutover.cancels()
                ? "cutover.open_transactions cancel is for postgres: a Redis has no transaction that is open between two commands of a client; leave it out, or say abort"
                : null;
    }

    /** Whether some gate judges what both sides answer to the same read. */
    private boolean comparesReads() {
        List<Strategy.Stage> stages = strategy.stages();
        return gates.maxMismatchRate() >= 0
                || stages != null
                        && stages.stream()
                                .map(Strategy.Stage::gates)
                                .anyMatch(own -> own != null && own.maxMismatchRate() >= 0);
    }

    /** The workflow's argument. */
    public MigrationSpec spec(
            String id, String description, String engine, String source, String target, List<String> interlays) {
        return new MigrationSpec(
                id,
                description,
                engine,
                source,
                target,
                interlays,
                strategy,
                dataOf(engine),
                gates,
                MigrationSpec.FailureHandling.valueOf(failureHandling.toUpperCase(Locale.ROOT)),
                cutover,
                validation);
    }

    /** {@code scan} is what was stored for a migration that says nothing, before its engine was known. */
    private MigrationSpec.Data dataOf(String engine) {
        return engine.equals("postgres") && data.type().equals("scan")
                ? new MigrationSpec.Data("logical", "logical", data.replace(), data.ddl())
                : data;
    }
}
