package dev.eden.activities.store;

import dev.eden.activities.store.RouteLedger.Reported;
import java.util.List;
import java.util.Optional;

/** What a canary's stage has shown since it began, kept over the workers that watch it. */
public interface StageLedger {
    /**
     * Of the target.
     *
     * @param heard the proxies' last totals: what they serve while nobody watches counts, too
     */
    record Counted(long reads, long errors, long compared, long mismatched, List<Reported> heard) {
        public Counted {
            heard = List.copyOf(heard);
        }
    }

    /** @param bakedAtMillis tells one stage from another; empty where it was not watched yet */
    Optional<Counted> counted(String migration, long bakedAtMillis);

    /** Takes the place of what was counted of this stage, or of one before. */
    void save(String migration, long bakedAtMillis, Counted counted);
}
