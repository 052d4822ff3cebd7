package dev.eden.activities.redis.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A stream command and what is to be made of it.
 *
 * @param database where it runs
 * @param keys what it touches; null where that can't be known
 * @param probes keys whose absence on the written side, just before the command, would mean that they expired there too early
 * @param effective the reply on the written side must show an effect, because the other side had one
 * @param applied false for what is only Eden's or only for replicas
 * @param carried false for what Eden does not carry, so that nothing after it can be applied either
 * @param understood false where the followed server alone says what its keys are
 */
record Change(
        StreamCommand command,
        int database,
        @Nullable List<byte[]> keys,
        List<byte[]> probes,
        boolean effective,
        boolean applied,
        boolean carried,
        boolean understood) {

    /** Everything but what is not carried. */
    Change(
            StreamCommand command,
            int database,
            @Nullable List<byte[]> keys,
            List<byte[]> probes,
            boolean effective,
            boolean applied) {
        this(command, database, keys, probes, effective, applied, true, true);
    }

    static Change notCarried(StreamCommand command, int database) {
        return new Change(command, database, null, List.of(), false, true, false, true);
    }

    /** What it changes can't be told key by key for certain, so that nothing makes up for it where it is refused. */
    boolean keyless() {
        return keys == null || keys.isEmpty() || !understood;
    }

    /** Done a second time, with nothing in between, it leaves what it left the first time. */
    boolean repeatable() {
        return switch (command.name) {
            case "FLUSHALL", "FLUSHDB" -> true;
            case "SCRIPT" -> says(1, "LOAD") || says(1, "FLUSH");
            case "FUNCTION" ->
                says(1, "FLUSH")
                        || (says(1, "LOAD") && says(2, "REPLACE"))
                        || (says(1, "RESTORE") && (says(3, "REPLACE") || says(3, "FLUSH")));
            default -> false;
        };
    }

    private boolean says(int index, String word) {
        return index < command.size() && command.is(index, word);
    }
}
