package dev.eden.workflows.activity;

import dev.eden.workflows.MigrationSpec;
import io.temporal.activity.ActivityInterface;
import java.util.List;

/** Before the load: preflight, Eden's own users on both sides, the target's fence, the logs that both directions need. */
@ActivityInterface
public interface PreparationActivities {

    /** A finding of {@code plan}: {@code severity} is {@code info}, {@code warning} or {@code failure}; ids are stable. */
    record Finding(String id, String severity, String message, String remedy) {}

    record Preflight(List<Finding> findings) {
        public boolean refused() {
            return findings.stream().anyMatch(f -> f.severity().equals("failure"));
        }
    }

    /**
     * What the full load will have to do and how long it may take, without the source's own load.
     *
     * @param items keys, or rows by the planner's estimate
     * @param basis how seconds follow from items and bytes, in words
     */
    record CopyForecast(long items, long bytes, double seconds, String basis) {}

    /** Connects and looks; changes nothing. Throws where the source can't be asked. */
    CopyForecast forecast(MigrationSpec spec);

    /** Connects and looks; changes nothing. */
    Preflight preflight(MigrationSpec spec);

    /** Idempotent; every change on a server is stored, encrypted, before it is made, so that {@link CleanupActivities} can undo it. */
    void prepare(MigrationSpec spec);
}
