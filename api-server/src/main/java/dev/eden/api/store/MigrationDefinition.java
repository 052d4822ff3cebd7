package dev.eden.api.store;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A migration as asked for, without its id and before it is known which endpoints it moves. Stored as JSON: additive evolution only; {@code validation} null: from before. */
public record MigrationDefinition(
        Strategy strategy,
        MigrationSpec.Data data,
        MigrationSpec.Gates gates,
        String failureHandling,
        MigrationSpec.CutoverBudget cutover,
        MigrationSpec.@Nullable Validation validation) {

    public MigrationDefinition withStrategy(Strategy patched) {
        return new MigrationDefinition(patched, data, gates, failureHandling, cutover, validation);
    }

    /** Whether some gate judges what both sides answer to the same read. */
    boolean comparesReads() {
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
