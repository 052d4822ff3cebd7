package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;

/** Replicas that commits on the source wait for. */
final class ReplicaFindings {
    private ReplicaFindings() {}

    /**
     * The log sender that decodes for the target sends a commit when it is on the source's own disk; the source's sessions see it once the replicas have it
     * as well. So the target may be ahead of what anybody can read on the source, and be believed: nothing there tells such a row from another.
     */
    static void check(PostgresSession source, Findings findings) {
        if (source.is("SELECT current_setting('synchronous_standby_names') <> ''"
                + " AND current_setting('synchronous_commit') NOT IN ('local', 'off')")) {
            findings.warning(
                    "postgres.replicas.synchronous",
                    "Commits on the source wait for replicas (synchronous_standby_names), those to the target do not: the target may show a row"
                            + " before the source does. A client whose reads go to the target may find it there, and not find it with its next read on the source.",
                    "Keep read_percentage at 0 until the cutover, or accept that a read may be ahead by as long as the replica takes. Nothing is lost by it.");
        }
    }
}
