package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.MemoryLimit;

/** What is special about the server that data comes from. */
final class SourceFindings {
    private static final long SMALL_OUTPUT_BUFFER = 64L << 20;

    private final ServerView source;
    private final Findings findings;

    SourceFindings(ServerView source, Findings findings) {
        this.source = source;
        this.findings = findings;
    }

    void check() {
        findings.info(
                "redis.source.size",
                "The source has " + source.keys() + " keys in "
                        + source.info().keysByDatabase().size() + " databases and uses "
                        + source.info().number("used_memory") + " bytes.");
        MemoryLimit memory = new MemoryLimit(source.info());
        if (memory.scarce() && memory.refusesWhenFull()) {
            findings.warning(
                    "redis.source.memory",
                    "The source has less than 5 % of its memory left, and finds too little to evict to make room: the target's"
                            + " writes would be refused there after a cutover, and the way back would end. No cutover"
                            + " begins like this.",
                    "Raise the source's maxmemory before the cutover.");
        }
        if (memory.evicts()) {
            findings.warning(
                    "redis.source.eviction",
                    "The source evicts keys (" + memory.policy()
                            + "). Evictions are copied as deletions; the target does not evict by itself, so after the"
                            + " cutover it refuses writes when its memory is full. After a cutover the source receives"
                            + " the target's writes and goes on evicting: what it evicts then is missing after a"
                            + " rollback, or there only as far as it was written since; a rollback is possible, another"
                            + " cutover after it is not.",
                    "Give the target room, and set its policy after the migration; give the source room before the"
                            + " cutover, or set its policy to noeviction until the migration is finished.");
        }
        outputBuffer();
        long expiring = source.info().hashesWithExpiringFields();
        if (expiring > 0) {
            findings.failure(
                    "redis.hash.expiring_fields",
                    "The source has " + expiring
                            + " hashes of which single fields expire (HEXPIRE and the like); Eden does not copy those.",
                    "Delete these hashes or take their fields' expiries away (HPERSIST), and set none until the"
                            + " migration is finished.");
        }
        if (source.functions() > 0) {
            findings.info(
                    "redis.functions",
                    "The source has " + source.functions() + " function libraries; they are copied.");
        }
        long scripts = source.info().number("number_of_cached_scripts");
        findings.info(
                "redis.scripts",
                "The source has " + scripts
                        + " cached scripts. Redis does not list them: the proxies load on the target those that pass"
                        + " through them; EVALSHA of any other answers NOSCRIPT after the cutover, as after a"
                        + " restart.");
        if (source.setting("lua-replicate-commands").orElse("yes").equals("no")) {
            findings.warning(
                    "redis.scripts.verbatim",
                    "The source logs scripts instead of their effects (lua-replicate-commands no).",
                    "Set lua-replicate-commands to yes.");
        }
    }

    /** {@code class hard soft seconds …}; class {@code slave} or {@code replica}; 0 is unlimited. */
    private void outputBuffer() {
        String[] words = source.setting("client-output-buffer-limit").orElse("").split(" ");
        for (int i = 0; i + 3 < words.length; i += 4) {
            if (!words[i].equals("slave") && !words[i].equals("replica")) {
                continue;
            }
            long hard = Long.parseLong(words[i + 1]);
            long soft = Long.parseLong(words[i + 2]);
            long smallest = Math.min(hard == 0 ? Long.MAX_VALUE : hard, soft == 0 ? Long.MAX_VALUE : soft);
            if (smallest < SMALL_OUTPUT_BUFFER) {
                findings.warning(
                        "redis.output_buffer.small",
                        "The source ends the link of a replica that lags by " + smallest
                                + " bytes (client-output-buffer-limit): with heavy writes the load may never finish.",
                        "Raise client-output-buffer-limit replica to 256mb 64mb 60 or more.");
            }
        }
    }
}
