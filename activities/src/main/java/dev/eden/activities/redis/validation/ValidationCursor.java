package dev.eden.activities.redis.validation;

import dev.eden.activities.store.DifferenceKinds;
import dev.eden.activities.store.ValidationLedger;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a validation has come: a heartbeat's details, from which another run goes on. It is worth nothing once the pair is another one
 * or a server has restarted (a SCAN cursor belongs to a process), hence {@code pair}.
 *
 * @param pair the two endpoints and the servers' run ids
 * @param pass {@code source}: all keys of the source are compared; {@code target}: keys that only the target has are looked for
 * @param database being scanned
 * @param scan cursor of the next page
 * @param sample of the differences, bounded
 * @param kinds of the differences; null in one of a server that did not count them
 */
public record ValidationCursor(
        String report,
        String startedAt,
        String pair,
        String pass,
        int database,
        String scan,
        long keysCompared,
        long suspicious,
        long differencesFound,
        long repaired,
        List<ValidationLedger.Difference> sample,
        @Nullable DifferenceKinds kinds) {
    static final String SOURCE = "source";
    static final String TARGET = "target";

    /** Told after each page; whatever it throws ends the validation. */
    @FunctionalInterface
    public interface Heartbeat {
        void beat(ValidationCursor cursor);
    }
}
