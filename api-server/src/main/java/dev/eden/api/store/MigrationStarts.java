package dev.eden.api.store;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.InterlayStore.LeftOut;
import dev.eden.api.store.MigrationStore.Migration;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/**
 * The start of a migration: it is claimed, so that nobody changes what its workflow is told; then the workflow is started, while nothing of the store
 * is held, however long Temporal takes; then it is recorded as started. What ends in between leaves the claim, and the next start takes it over.
 */
public final class MigrationStarts {
    /** Longer than anybody waits for Temporal to start a workflow. */
    private static final Duration GIVEN_UP = Duration.ofSeconds(30);

    private final Jdbi jdbi;
    private final AuditLog audit;

    public MigrationStarts(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    /** @param at which claim it is: a later start of the same migration takes it over */
    public record Claim(Migration migration, OffsetDateTime at) {}

    /** The interlays before the migration's two servers that are not in it. */
    public List<LeftOut> leftOut(Migration migration) {
        return jdbi.withHandle(handle -> leftOut(handle, migration));
    }

    private static List<LeftOut> leftOut(Handle handle, Migration migration) {
        return InterlayStore.leftOut(handle, migration.interlays(), sides(migration));
    }

    private static List<String> sides(Migration migration) {
        return Stream.of(migration.source(), migration.target())
                .filter(Objects::nonNull)
                .sorted()
                .toList();
    }

    /**
     * Claims a migration that is still what {@code planned} was.
     *
     * @param leftOut what {@link #leftOut} said before anybody looked at the databases
     * @return empty where it has been started meanwhile, as it was planned
     */
    public Optional<Claim> claim(Migration planned, List<LeftOut> leftOut, String actor, String reason) {
        String id = planned.id();
        return jdbi.inTransaction(handle -> {
            Migration migration = MigrationStore.get(handle, id, true);
            if (!migration.movesAs(planned)) {
                throw changed(migration);
            }
            if (migration.started()) {
                return Optional.empty();
            }
            // Who puts an interlay before one of them holds its row, too.
            handle.createQuery("SELECT id FROM endpoint WHERE id IN (<sides>) ORDER BY id FOR NO KEY UPDATE")
                    .bindList("sides", sides(migration))
                    .mapTo(String.class)
                    .list();
            if (!leftOut(handle, migration).equals(leftOut)) {
                throw changed(migration);
            }
            if (!MigrationStore.claimed(handle, id)) {
                audit.append(
                        handle,
                        AuditLog.Entry.migration(
                                actor, "migration.started", id, migration.phase(), reason, null, null));
            }
            EncryptedServerRecords.begin(handle, id);
            RequestClaim.done(handle);
            return Optional.of(new Claim(
                    migration,
                    handle.createQuery(
                                    "UPDATE migration SET start_claimed_at = clock_timestamp() WHERE id = :id RETURNING start_claimed_at")
                            .bind("id", id)
                            .mapTo(OffsetDateTime.class)
                            .one()));
        });
    }

    /** The request that this thread works for had claimed the start before, and nobody was there to keep the answer. */
    public boolean claimedByThisRequest() {
        return jdbi.withHandle(RequestClaim::wasDone);
    }

    private static Problem changed(Migration migration) {
        return new Problem(
                        ErrorCode.COMMAND_REFUSED,
                        "migration " + migration.id()
                                + " or what stands before its servers was changed while it was looked at: read the plan, and start it again")
                .with("allowed", migration.started() ? List.of() : List.of("migrate"));
    }

    /** Its workflow runs; that may have recorded something already. */
    public Migration started(Claim claim) {
        String id = claim.migration().id();
        return jdbi.inTransaction(handle -> {
            handle.createUpdate(
                            "UPDATE migration SET started_at = now(), updated_at = now() WHERE id = :id AND started_at IS NULL")
                    .bind("id", id)
                    .execute();
            return MigrationStore.get(handle, id, false);
        });
    }

    /** Its workflow surely does not run, for this claim. */
    public void withdraw(Claim claim) {
        withdraw(claim.migration(), claim.at(), "Temporal has refused to start the workflow");
        jdbi.useHandle(RequestClaim::undone);
    }

    /**
     * Withdraws a claim whose start was given up, nobody knows with what result, where {@code runs} says that there is no workflow.
     *
     * @param runs of a migration's id; throws where nobody knows
     */
    public void settle(Migration migration, Predicate<String> runs) {
        Optional<OffsetDateTime> givenUp = migration.started()
                ? Optional.empty()
                : jdbi.withHandle(handle -> handle.createQuery(
                                "SELECT start_claimed_at FROM migration WHERE id = :id AND start_claimed_at < clock_timestamp() - :patience * interval '1 second'")
                        .bind("id", migration.id())
                        .bind("patience", GIVEN_UP.toSeconds())
                        .mapTo(OffsetDateTime.class)
                        .findOne());
        if (givenUp.isPresent() && !runs.test(migration.id())) {
            withdraw(migration, givenUp.get(), "Temporal knows nothing of the workflow");
        }
    }

    private void withdraw(Migration migration, OffsetDateTime claimed, String why) {
        jdbi.useTransaction(handle -> {
            int withdrawn = handle.createUpdate(
                            "UPDATE migration SET start_claimed_at = NULL WHERE id = :id AND started_at IS NULL AND start_claimed_at = :claimed")
                    .bind("id", migration.id())
                    .bind("claimed", claimed)
                    .execute();
            if (withdrawn == 1) {
                audit.append(
                        handle,
                        AuditLog.Entry.migration(
                                "system",
                                "migration.start_withdrawn",
                                migration.id(),
                                migration.phase(),
                                why,
                                null,
                                null));
            }
        });
    }
}
