package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.ReplicationLedger.Progress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** What whoever asks for a cutover is told before it is accepted. */
class ReadinessIT extends ProtocolStage {
    @Test
    void whatLastsIsTold() throws Exception {
        running.add(new StandInProxy("p1"));
        running.add(new StandInProxy("killed"));
        heard("p1", true);
        heard("killed", false);
        lagging();

        List<String> blockers = coordinator(routes, engine).awaitReadiness(spec, true);

        assertThat(blockers).hasSize(2);
        assertThat(blockers.getFirst()).isEqualTo("replication lag is 60000 ms, the gate is 100 ms");
        assertThat(blockers.getLast()).contains("proxy front:killed has not been heard", "eden proxy list");
        assertOwner("source", 1);
    }

    @Test
    void aSpikeIsWaitedFor() throws Exception {
        running.add(new StandInProxy("p1"));
        heard("p1", false);
        lagging();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            CompletableFuture<List<String>> blockers = CompletableFuture.supplyAsync(
                    () -> coordinator(routes, engine).awaitReadiness(spec, true), threads);
            heard("p1", true);
            running.add(new StandInApplier("source", "target"));
            assertThat(blockers.get()).isEmpty();
        }
    }

    private void lagging() {
        replication.progress(MIGRATION, new Progress("streaming", 0, 0, 0, 0, 0, 60_000, 0, 0, true, 0, null, 0));
        // As if it were told again for the next hour.
        database.jdbi()
                .useHandle(
                        h -> h.execute(
                                "UPDATE replication SET progress = jsonb_set(progress, '{atMillis}', to_jsonb((progress->>'atMillis')::bigint + 3600000))"));
    }

    /** Whether it was heard a moment ago, for the next hour; stand-ins do not report. */
    private void heard(String proxy, boolean lately) {
        database.jdbi()
                .useHandle(h -> h.execute(
                        "UPDATE proxy SET seen_at = now() + (? * interval '1 hour') WHERE name = ?",
                        lately ? 1 : -1,
                        proxy));
    }
}
