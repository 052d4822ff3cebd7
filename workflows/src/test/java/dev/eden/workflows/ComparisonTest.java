package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.MigrationSpec.Validation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Who mends what the comparison found: Eden, or a person. */
class ComparisonTest {
    @Test
    void withoutRepairOneDifferenceWaitsForAPerson() {
        try (Bench bench = Bench.open()) {
            bench.world.remaining(7);
            bench.start(spec(new Validation(false)));
            MigrationView paused = bench.until(MigrationView::paused);
            assertThat(paused.phase()).isEqualTo(new MigrationPhase.Validating());
            assertThat(paused.lastReason()).contains("left for a person", "7");
            assertThat(paused.readyForCutover()).isFalse();
            assertThat(bench.world.validations).hasValue(1);
            assertThat(bench.world.repaired).isFalse();
            bench.update(Kind.RESUME);
            bench.untilReady();
            assertThat(bench.world.validations).as("compared again").hasValue(2);
        }
    }

    @Test
    void itRepairsUnlessToldOtherwise() throws Exception {
        assertThat(spec(null).repairs()).isTrue();
        assertThat(spec(new Validation(true)).repairs()).isTrue();
        ObjectMapper json = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        MigrationSpec told = spec(new Validation(false));
        ObjectNode tree = json.valueToTree(told);
        assertThat(json.treeToValue(tree, MigrationSpec.class)).isEqualTo(told);
        tree.remove("validation");
        assertThat(json.treeToValue(tree, MigrationSpec.class).repairs())
                .as("of a history from before")
                .isTrue();
    }

    private static MigrationSpec spec(@Nullable Validation validation) {
        MigrationSpec base = Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "hold");
        return new MigrationSpec(
                base.id(),
                base.description(),
                base.engine(),
                base.source(),
                base.target(),
                base.interlays(),
                base.strategy(),
                base.data(),
                base.gates(),
                base.failureHandling(),
                base.budget(),
                validation);
    }
}
