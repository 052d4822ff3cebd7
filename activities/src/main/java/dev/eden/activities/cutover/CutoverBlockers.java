package dev.eden.activities.cutover;

import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.RouteLedger.JoinedProxy;
import dev.eden.workflows.MigrationSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the store says of replication and proxies that stands in the way of a flip, in words: the same for an attempt and for a status. */
public final class CutoverBlockers {
    private static final long REPORT_DUE_MILLIS = 3_000;

    private CutoverBlockers() {}

    /** What an attempt refuses to begin with. */
    public static List<String> of(
            MigrationSpec.Gates gates, @Nullable Progress progress, List<JoinedProxy> joined, long nowMillis) {
        List<String> blockers = new ArrayList<>();
        joined.forEach(proxy -> proxy.unspoken().ifPresent(blockers::add));
        if (progress == null || !progress.state().equals("streaming")) {
            blockers.add("replication is not streaming");
            return blockers;
        }
        if (nowMillis - progress.atMillis() > REPORT_DUE_MILLIS) {
            blockers.add("replication has not reported for more than 3 s");
        }
        if (progress.lagMs() > gates.maxLagMs()) {
            blockers.add("replication lag is " + progress.lagMs() + " ms, the gate is " + gates.maxLagMs() + " ms");
        }
        if (progress.lagMs() < 0) {
            blockers.add("the replication lag is not known yet");
        }
        if (!progress.reverseProven()) {
            blockers.add("the reverse path is not proven");
        }
        if (progress.conflicts() > 0) {
            blockers.add(progress.conflicts() + " keys of the target were kept (replace: skip)");
        }
        return blockers;
    }

    /** Who an attempt would wait for in vain. */
    public static Stream<String> silent(List<JoinedProxy> joined) {
        return joined.stream()
                .filter(proxy -> !proxy.alive())
                .map(proxy -> "proxy " + proxy.interlay() + ":" + proxy.name()
                        + " has not been heard for more than 3 s; who is silent and what to do: eden proxy list");
    }
}
