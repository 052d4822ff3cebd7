package dev.eden.api.store;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Query;
import org.jspecify.annotations.Nullable;

/** Who did what and why; append-only and chained ({@link AuditChain}), kept so by triggers. What it stores is shown to every viewer: no secret goes in. */
public final class AuditLog {
    /** Begins the events of operators' commands. */
    static final String COMMAND = "command.";

    private static final String COLUMNS =
            "position AS id, at, actor, event, subject, migration, phase, reason, before::text AS before, after::text AS after,"
                    + " encode(hash, 'hex') AS hash";

    private final Jdbi jdbi;

    public AuditLog(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /** @param subject what it was done to, e.g. {@code endpoint/ec2_redis} */
    public record Entry(
            String actor,
            String event,
            String subject,
            @Nullable String migration,
            @Nullable String phase,
            @Nullable Long revision,
            String reason,
            @Nullable JsonNode before,
            @Nullable JsonNode after) {

        /** Something done to an endpoint, an interlay or a token. */
        public static Entry of(
                String actor, String event, String subject, @Nullable Object before, @Nullable Object after) {
            return new Entry(actor, event, subject, null, null, null, "", node(before), node(after));
        }

        /** Something done to a migration. */
        public static Entry migration(
                String actor,
                String event,
                String migration,
                String phase,
                String reason,
                @Nullable Object before,
                @Nullable Object after) {
            return new Entry(
                    actor, event, "migration/" + migration, migration, phase, null, reason, node(before), node(after));
        }
    }

    static @Nullable JsonNode node(@Nullable Object value) {
        return value == null ? null : Json.mapper().valueToTree(value);
    }

    /**
     * A stored entry; {@code id} is its place in the order of commits: what is read after an id never appears before it later.
     *
     * @param hash of the entry and all before it, hexadecimal: another store's entry at the same place has another
     */
    public record Event(
            long id,
            String at,
            String actor,
            String event,
            String subject,
            @Nullable String migration,
            @Nullable String phase,
            String reason,
            @Nullable JsonNode before,
            @Nullable JsonNode after,
            @JsonIgnore String hash) {}

    /** Appends in the caller's transaction; false where this revision of the migration had been recorded before. */
    boolean append(Handle handle, Entry entry) {
        return handle.createUpdate("""
                                INSERT INTO audit_log (actor, event, subject, migration, phase, revision, reason, before, after)
                                VALUES (:actor, :event, :subject, :migration, :phase, :revision, :reason, CAST(:before AS jsonb), CAST(:after AS jsonb))
                                ON CONFLICT (migration, revision) DO NOTHING""")
                        .bind("actor", entry.actor())
                        .bind("event", entry.event())
                        .bind("subject", entry.subject())
                        .bind("migration", entry.migration())
                        .bind("phase", entry.phase())
                        .bind("revision", entry.revision())
                        .bind("reason", entry.reason())
                        .bind("before", text(entry.before()))
                        .bind("after", text(entry.after()))
                        .execute()
                == 1;
    }

    public void append(Entry entry) {
        jdbi.useHandle(handle -> append(handle, entry));
    }

    /** Where a migration begins: an id that was forgotten may be another's by now, and what was done to the former is not done to it. */
    static final String BEGUN =
            "(SELECT coalesce(max(position), 0) FROM audit_log WHERE migration = :migration AND event = '"
                    + MigrationStore.CREATED + "')";

    /** The id of the last entry; 0: there is none. */
    public long head() {
        return jdbi.withHandle(handle -> handle.createQuery("SELECT position FROM audit_head")
                .mapTo(Long.class)
                .one());
    }

    /** Events of a migration after {@code afterId}, oldest first. */
    public List<Event> events(String migration, long afterId, int limit) {
        return jdbi.withHandle(handle -> handle.createQuery("""
                        SELECT %s
                        FROM audit_log WHERE migration = :migration AND position > :after AND position >= %s ORDER BY position LIMIT :limit""".formatted(COLUMNS, BEGUN))
                .bind("migration", migration)
                .bind("after", afterId)
                .bind("limit", limit)
                .map((row, _) -> event(row))
                .list());
    }

    /**
     * Entries of whatever there is, also of what belongs to no migration, after {@code afterId}, oldest first.
     *
     * @param subject that one's; of all of a kind where it ends with a slash ({@code token/}); null: every subject's
     */
    public List<Event> entries(@Nullable String subject, long afterId, int limit) {
        String only = subject == null
                ? ""
                : subject.endsWith("/") ? " AND starts_with(subject, :subject)" : " AND subject = :subject";
        return jdbi.withHandle(handle -> {
            Query query = handle.createQuery("SELECT " + COLUMNS + " FROM audit_log WHERE position > :after" + only
                            + " ORDER BY position LIMIT :limit")
                    .bind("after", afterId)
                    .bind("limit", limit);
            if (subject != null) {
                query.bind("subject", subject);
            }
            return query.map((row, _) -> event(row)).list();
        });
    }

    private static Event event(ResultSet row) throws SQLException {
        return new Event(
                row.getLong("id"),
                row.getObject("at", OffsetDateTime.class).toInstant().toString(),
                row.getString("actor"),
                row.getString("event"),
                row.getString("subject"),
                row.getString("migration"),
                row.getString("phase"),
                row.getString("reason"),
                parsed(row.getString("before")),
                parsed(row.getString("after")),
                row.getString("hash"));
    }

    /** The strategy that the last entry about it has: as a migration was made, or was patched to. */
    Optional<JsonNode> strategy(Handle handle, String migration) {
        return handle.createQuery("""
                        SELECT COALESCE(after->'strategy', after)::text FROM audit_log
                        WHERE migration = :migration AND (jsonb_exists(after, 'strategy') OR event IN ('migration.strategy_patched', 'command.patch_strategy'))
                        ORDER BY id DESC LIMIT 1""")
                .bind("migration", migration)
                .mapTo(String.class)
                .findOne()
                .map(Json::tree);
    }

    private static @Nullable String text(@Nullable JsonNode node) {
        return node == null ? null : node.toString();
    }

    private static @Nullable JsonNode parsed(@Nullable String json) {
        return json == null ? null : Json.tree(json);
    }
}
