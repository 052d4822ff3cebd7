package dev.eden.activities.redis.preflight;

/** What is special about the server that data goes to. */
final class TargetFindings {
    private final ServerView target;
    private final Findings findings;

    TargetFindings(ServerView target, Findings findings) {
        this.target = target;
        this.findings = findings;
    }

    void check(String replace) {
        if (target.info().number("maxmemory") > 0
                && !target.info().text("maxmemory_policy").equals("noeviction")) {
            findings.failure(
                    "redis.target.eviction",
                    "The target may evict keys (maxmemory-policy "
                            + target.info().text("maxmemory_policy")
                            + "): a copy that loses keys by itself cannot be proven equal.",
                    "CONFIG SET maxmemory-policy noeviction on the target until the migration is finished.");
        }
        content(replace);
        boolean snapshots = !target.setting("save").orElse("unknown").isEmpty();
        boolean appendOnly = !target.setting("appendonly").orElse("unknown").equals("no");
        if (!snapshots && !appendOnly) {
            findings.warning(
                    "redis.target.persistence",
                    "The target keeps nothing on disk: a restart loses all data.",
                    "Enable appendonly, or accept it as for a cache.");
        }
        if (!target.ability("restore").allowed()) {
            findings.warning(
                    "redis.restore.forbidden",
                    "The login of the target may not run RESTORE; Eden's own user will, if the server has the command.",
                    "Allow +restore to the endpoint's login.");
        }
        if (target.ability("psync") == Abilities.Ability.UNKNOWN_COMMAND) {
            findings.failure(
                    "redis.target.psync_unavailable",
                    "The target does not offer PSYNC: after a cutover its writes could not be copied back, so there would be no rollback.",
                    "Choose a target that offers PSYNC.");
        }
    }

    private void content(String replace) {
        long keys = target.keys();
        if (keys == 0) {
            return;
        }
        switch (replace) {
            case "replace" ->
                findings.warning(
                        "redis.target.replaced",
                        "The target has " + keys + " keys; all of them are deleted before the load.",
                        "Choose another target, or replace: skip, if they are needed.");
            case "skip" ->
                findings.warning(
                        "redis.target.kept",
                        "The target has " + keys
                                + " keys of its own; they are kept, and the cutover is refused while one of them conflicts with a key"
                                + " of the source.",
                        "Empty the target, or use replace: replace.");
            default ->
                findings.failure(
                        "redis.target.not_empty",
                        "The target has " + keys + " keys and replace is " + replace + ".",
                        "Empty the target, or use replace: replace or skip.");
        }
    }
}
