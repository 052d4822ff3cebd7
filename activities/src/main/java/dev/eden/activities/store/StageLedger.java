package dev.eden.activities.store;

import dev.eden.activities.store.RouteLedger.Reported;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a canary's stage has shown since it began, kept over the workers that watch it, and what keeps a migration from going on by itself. */
public interface StageLedger {
    /**
     * Of the target.
     *
     * @param latency the worst window of a proxy so far, or the one nearest to having enough samples; null: none yet
     * @param beganAtMillis when its first watch began; 0: from before that was kept
     * @param heard the proxies' last totals: what they serve while nobody watches counts, too
     */
    record Counted(
            long reads,
            long errors,
            long compared,
            long mismatched,
            @Nullable Latency latency,
            long beganAtMillis,
            List<Reported> heard) {
        public Counted {
            heard = List.copyOf(heard);
        }
    }

    /** What a window (about 5 s) of a proxy, or of several that have few samples each, said of both sides: reads on the target, all requests on the source. */
    record Latency(
            String interlay,
            String proxy,
            double sourceP99Millis,
            long sourceSamples,
            double targetP99Millis,
            long targetSamples) {

        /** 0 where nothing was asked of the source. */
        public double ratio() {
            return sourceP99Millis > 0 ? targetP99Millis / sourceP99Millis : 0;
        }
    }

    /** @param bakedAtMillis tells one stage from another; empty where it was not watched yet */
    Optional<Counted> counted(String migration, long bakedAtMillis);

    /** Takes the place of what was counted of this stage, or of one before. */
    void save(String migration, long bakedAtMillis, Counted counted);

    /** It has baked, and waits for samples: told once a stage, whoever watches it. */
    void waits(String migration, long bakedAtMillis, String why);

    /**
     * Reads that both sides were asked had different rows, {@code mismatched} of them so far: told the first time, then as they get ten times as many, and once an
     * hour while they get more.
     */
    void differ(String migration, long mismatched, String why);

    /** The canary or the cutover would come by itself now, and waits: told once, until something else is told of the migration. */
    void delayed(String migration, String why);
}
