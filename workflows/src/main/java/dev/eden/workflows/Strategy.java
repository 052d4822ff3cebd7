package dev.eden.workflows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How reads and writes move. {@code type} is {@code canary}, {@code blue_green} or {@code immediate}; fractions are 0…1.
 * Additive evolution only: instances live in workflow histories.
 */
public record Strategy(
        String type,
        double readPercentage,
        String consistency,
        long maxWaitMs,
        @Nullable List<Stage> stages,
        WriteMode writeMode) {

    /** {@code mode} is {@code dual_write} or {@code cutover}; {@code ack} is {@code source} or {@code both}. */
    public record WriteMode(String mode, @Nullable String policy, String ack, @Nullable Double writePercentage) {

        /** True where the caller asks for cutover: {@code {"mode":"cutover","write_percentage":1.0}}. */
        public boolean asksForCutover() {
            return mode.equals("cutover");
        }
    }

    /** One step of a canary that advances by itself after {@code bakeSeconds} when the gates hold. */
    public record Stage(double readPercentage, long bakeSeconds) {}
}
