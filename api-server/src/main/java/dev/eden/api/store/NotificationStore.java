package dev.eden.api.store;

import dev.eden.api.json.Json;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Update;
import org.jspecify.annotations.Nullable;

/**
 * How far each receiver has been told of each migration: a place in the audit log, which is the outbox. Each call is one short transaction; whoever tells
 * holds a claim meanwhile and nothing of the store. Thread-safe, also against other servers.
 */
public final class NotificationStore {
    /** Nobody is told of it: a notification about a notification is never sent. */
    private static final String GIVEN_UP = "notification.given_up";

    /** So long overdue, nobody was there to try: what failed before says nothing of the receiver. Longer than a round through many that hang. */
    private static final Duration UNTRIED = Duration.ofHours(1);

    private final Jdbi jdbi;
    private final AuditLog audit;

    public NotificationStore(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    /**
     * The right to tell one receiver of one migration, until it is settled or its time is over.
     *
     * @param on labels of what it is to be told of
     * @param failures in a row, before this one
     * @param failingSince null: the last one went well
     * @param now by the store's clock
     */
    public record Claim(
            String migration,
            String receiver,
            UUID id,
            long position,
            List<String> on,
            int failures,
            @Nullable Instant failingSince,
            Instant now) {

        /** For so long in vain. */
        public boolean failingFor(Duration time) {
            return failingSince != null && !failingSince.plus(time).isAfter(now);
        }
    }

    static void begin(Handle handle, String migration, MigrationDefinition.@Nullable Notify notify) {
        if (notify != null) {
            notify.receivers()
                    .forEach(receiver -> handle.createUpdate(
                                    "INSERT INTO notification (migration, receiver, kinds) VALUES (:migration, :receiver, CAST(:kinds AS jsonb))")
                            .bind("migration", migration)
                            .bind("receiver", receiver)
                            .bind("kinds", Json.write(notify.on()))
                            .execute());
        }
    }

    /**
     * The migration of which this receiver has waited longest to be told something, those that have just failed behind all others; nobody else gets it
     * for {@code lease}.
     */
    public Optional<Claim> claim(String receiver, Duration lease) {
        UUID id = UUID.randomUUID();
        return jdbi.withHandle(handle -> handle.createQuery("""
                        UPDATE notification SET claim = :claim, due_at = clock_timestamp() + :lease * interval '1 millisecond',
                            failures = CASE WHEN due_at < clock_timestamp() - :untried * interval '1 millisecond' THEN 0 ELSE failures END,
                            failing_since = CASE WHEN due_at < clock_timestamp() - :untried * interval '1 millisecond' THEN NULL ELSE failing_since END
                        WHERE (migration, receiver) = (
                            SELECT n.migration, n.receiver FROM notification n
                            WHERE n.receiver = :receiver AND n.due_at <= clock_timestamp()
                                AND EXISTS (SELECT FROM audit_log a WHERE a.migration = n.migration AND a.position > n.position)
                            ORDER BY n.failures > 0, n.due_at LIMIT 1 FOR UPDATE OF n SKIP LOCKED)
                        RETURNING migration, receiver, position, kinds::text AS kinds, failures, failing_since, clock_timestamp() AS now""")
                .bind("claim", id)
                .bind("lease", lease.toMillis())
                .bind("untried", UNTRIED.toMillis())
                .bind("receiver", receiver)
                .map((row, _) -> claim(id, row))
                .findOne());
    }

    private static Claim claim(UUID id, ResultSet row) throws SQLException {
        List<String> on = new ArrayList<>();
        Json.tree(row.getString("kinds")).forEach(kind -> on.add(kind.asText()));
        OffsetDateTime failingSince = row.getObject("failing_since", OffsetDateTime.class);
        return new Claim(
                row.getString("migration"),
                row.getString("receiver"),
                id,
                row.getLong("position"),
                on,
                row.getInt("failures"),
                failingSince == null ? null : failingSince.toInstant(),
                row.getObject("now", OffsetDateTime.class).toInstant());
    }

    /** Up to {@code position} everything is told; false where the claim was somebody else's by then. */
    public boolean told(Claim claim, long position) {
        return settle(claim, position, "failures = 0, failing_since = NULL, due_at = clock_timestamp()", Duration.ZERO);
    }

    /** Up to {@code position} there was nothing to tell, and nothing was sent. */
    public boolean passed(Claim claim, long position) {
        return settle(claim, position, "due_at = clock_timestamp()", Duration.ZERO);
    }

    /** What comes after {@code position} was not taken: it is tried again after {@code wait}. */
    public boolean failed(Claim claim, long position, Duration wait) {
        return settle(
                claim,
                position,
                "failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp()),"
                        + " due_at = clock_timestamp() + :wait * interval '1 millisecond'",
                wait);
    }

    /** {@code event} was never taken, and is not told any more; what comes after it is tried after {@code wait}, as patiently as this was. */
    public boolean givenUp(Claim claim, AuditLog.Event event, String why, Duration wait) {
        return jdbi.inTransaction(handle -> {
            // Locked first, as by whoever forgets it; and what is written here is not of a phase that is over by then.
            Optional<String> phase = handle.createQuery("SELECT phase FROM migration WHERE id = :id FOR UPDATE")
                    .bind("id", claim.migration())
                    .mapTo(String.class)
                    .findOne();
            boolean settled = phase.isPresent()
                    && settle(
                            handle,
                            claim,
                            event.id(),
                            "failures = 0, failing_since = NULL, due_at = clock_timestamp() + :wait * interval '1 millisecond'",
                            wait);
            if (settled) {
                audit.append(
                        handle,
                        AuditLog.Entry.migration(
                                "system",
                                GIVEN_UP,
                                claim.migration(),
                                phase.get(),
                                "receiver " + claim.receiver() + " was not told of event " + event.id() + ": " + why,
                                null,
                                Map.of("receiver", claim.receiver(), "event", event.id())));
            }
            return settled;
        });
    }

    /** Receivers that migrations which have not ended name, beside {@code known}. */
    public List<String> unknown(Set<String> known) {
        return jdbi.withHandle(handle -> handle.createQuery("""
                        SELECT DISTINCT n.receiver FROM notification n JOIN migration m ON m.id = n.migration
                        WHERE m.ended_at IS NULL ORDER BY n.receiver""")
                .mapTo(String.class)
                .filter(receiver -> !known.contains(receiver))
                .list());
    }

    private boolean settle(Claim claim, long position, String what, Duration wait) {
        return jdbi.withHandle(handle -> settle(handle, claim, position, what, wait));
    }

    private static boolean settle(Handle handle, Claim claim, long position, String what, Duration wait) {
        Update update = handle.createUpdate("UPDATE notification SET position = :position, claim = NULL, " + what
                        + " WHERE migration = :migration AND receiver = :receiver AND claim = :claim")
                .bind("position", position)
                .bind("migration", claim.migration())
                .bind("receiver", claim.receiver())
                .bind("claim", claim.id());
        if (what.contains(":wait")) {
            update.bind("wait", wait.toMillis());
        }
        return update.execute() == 1;
    }
}
