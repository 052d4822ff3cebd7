package dev.eden.activities.redis.preflight;

import dev.eden.workflows.MigrationSpec;
import java.util.Optional;

/** Which of the source's logs is used, or why none can be. */
final class MechanismFindings {
    private final Findings findings;

    MechanismFindings(Findings findings) {
        this.findings = findings;
    }

    void check(MigrationSpec.Data data, Optional<ServerView> source) {
        if (data.type().equals("none")) {
            findings.failure(
                    "redis.mechanism.unavailable",
                    "A Redis is followed from a full copy on; data.type none, a target that was filled by other means, does not exist for it.",
                    "Use type scan.");
            return;
        }
        if (!data.mechanism().equals("auto") && !data.mechanism().equals("psync")) {
            findings.failure(
                    "redis.mechanism.unavailable",
                    "The mechanism " + data.mechanism() + " does not exist yet for Redis.",
                    "Use auto or psync.");
            return;
        }
        if (source.isEmpty()) {
            return;
        }
        switch (source.get().ability("psync")) {
            case ALLOWED ->
                findings.info(
                        "redis.mechanism",
                        "The source's replication log is used (PSYNC): Eden connects as a replica, loads a snapshot and applies"
                                + " the log in order.");
            case FORBIDDEN ->
                findings.failure(
                        "redis.psync.forbidden",
                        "The login of the source may not run PSYNC, and copying without the source's log does not exist yet.",
                        "Allow +psync and +replconf to the endpoint's login.");
            case UNKNOWN_COMMAND ->
                findings.failure(
                        "redis.psync.unavailable",
                        "The source does not offer PSYNC (renamed or switched off, as managed services do), and copying without"
                                + " the source's log does not exist yet.",
                        "Ask the provider to enable PSYNC, or wait for the dirty-key mechanism.");
        }
    }
}
