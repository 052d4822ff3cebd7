package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.postgres.schema.Unvalidated;
import java.time.Duration;
import java.util.List;

/** Goes back to before the full load: the target's tables are emptied, the forward slot and subscription go. Idempotent. */
final class LoadReset {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Pair pair;
    private final long epoch;
    private final LoadClaim claim;

    /**
     * {@code epoch} of the route: under a later one the target may be the owner of writes. {@code generation} of the run that found the log lost: a later
     * one may have begun anew, and needs what it made.
     */
    LoadReset(Pair pair, long epoch, long generation) {
        this.pair = pair;
        this.epoch = epoch;
        this.claim = new LoadClaim(pair.names(), generation);
    }

    void reset() {
        EdenObjects names = pair.names();
        try (PostgresSession target = pair.control(Role.TARGET, "reset", Duration.ZERO);
                PostgresSession source = pair.control(Role.SOURCE, "reset", LIMIT)) {
            claim.take(source);
            claim.take(target);
            // Without a subscription the next run would copy rows against them; with one it comes here again.
            Unvalidated.drop(source, target);
            Links.note(pair, Role.SOURCE, target);
            Links.dropSubscription(target, names.main());
            Links.dropCopies(pair, Role.SOURCE, source);
            Links.dropSlot(source, names.main());
            List<String> tables = UserTables.leaves(target);
            boolean emptied = Appliers.unlessLater(target, names, epoch, () -> {
                if (!tables.isEmpty()) {
                    target.execute("TRUNCATE " + String.join(", ", tables));
                }
                target.execute("DELETE FROM " + names.marker(Role.SOURCE));
                target.execute("DELETE FROM " + names.loaded());
            });
            if (!emptied) {
                throw new IllegalStateException("a later route has been here; epoch " + epoch + " is over");
            }
        }
    }
}
