package dev.eden.activities.cleanup;

import dev.eden.activities.store.ServerRecords;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cleans the sides of a migration each by itself: one that is away keeps nothing of Eden's on the other. What is stored stays until both are clean. A
 * side that is clean is left alone by later runs: it is its owner's again, who may have changed what a run would put back.
 */
public final class EachSide {
    private static final Logger LOGGER = LoggerFactory.getLogger(EachSide.class);
    /** In {@link ServerRecords}. */
    private static final String CLEAN = "clean";

    private final ServerRecords records;
    private final String migration;
    private final Function<RuntimeException, String> words;
    private final List<String> clean = new ArrayList<>();
    private final Map<String, String> failures = new LinkedHashMap<>();

    /** {@code words}: a failure for people, without addresses. */
    public EachSide(ServerRecords records, String migration, Function<RuntimeException, String> words) {
        this.records = records;
        this.migration = migration;
        this.words = words;
    }

    /** Idempotent work on one endpoint, unless it is clean or an earlier step on it has failed. */
    public void step(String endpoint, Runnable work) {
        if (failures.containsKey(endpoint)
                || records.get(migration, endpoint, CLEAN).isPresent()) {
            return;
        }
        try {
            work.run();
        } catch (RuntimeException e) {
            failures.put(endpoint, words.apply(e));
            LOGGER.atWarn()
                    .addKeyValue("migration", migration)
                    .addKeyValue("endpoint", endpoint)
                    .setCause(e)
                    .log("not clean yet");
        }
    }

    /** As {@link #step}; after it the endpoint is clean. */
    public void last(String endpoint, Runnable work) {
        step(endpoint, () -> {
            work.run();
            records.putAtEnd(migration, endpoint, CLEAN, "true");
        });
        if (!failures.containsKey(endpoint)) {
            clean.add(endpoint);
        }
    }

    /** @throws CleanupIncomplete where a step has failed */
    public void end() {
        if (!failures.isEmpty()) {
            List<String> said = new ArrayList<>();
            failures.forEach((endpoint, why) -> said.add(endpoint + " is not clean yet: " + why));
            clean.forEach(endpoint -> said.add(endpoint + " is clean"));
            throw new CleanupIncomplete(String.join("; ", said));
        }
    }
}
