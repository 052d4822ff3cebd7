package dev.eden.api.store;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The proxies that have joined interlays and have not signed off. Thread-safe. */
public final class ProxyStore {
    /** How long a proxy has to be silent before its row may be removed: well over its lease (2 s) and over what it takes to notice a sleep of its own. */
    public static final Duration SILENCE = Duration.ofSeconds(10);

    private static final String SELECT = """
            SELECT p.*, p.seen_at > clock_timestamp() - interval '3 seconds' AS alive,
                   extract(epoch FROM clock_timestamp() - p.seen_at) AS silent, (p.traffic->>'connections')::bigint AS connections,
                   r.active, r.migration
            FROM proxy p LEFT JOIN route r ON r.interlay = p.interlay
            """;

    private final Jdbi jdbi;
    private final AuditLog audit;

    public ProxyStore(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    /**
     * @param id {@code INTERLAY:NAME}
     * @param alive heard within 3 s
     * @param wire the {@link dev.eden.proxy.WireVersion} it speaks
     * @param serving whether requests went to a server when it was last heard; null where it is not heard, or too old to say
     * @param connections of clients, as it last said; null before its first report
     */
    public record JoinedProxy(
            String id,
            String interlay,
            String proxy,
            String listen,
            String version,
            int wire,
            boolean alive,
            @Nullable Boolean serving,
            @Nullable Long connections,
            String joinedAt,
            String seenAt) {}

    /** @param active the endpoint that owns writes behind its interlay, null where none is bound; {@code migration} that moves it now, if any */
    public record Found(
            JoinedProxy proxy,
            String incarnation,
            double silentSeconds,
            @Nullable String active,
            @Nullable String migration) {}

    /** Ordered by interlay and name; {@code afterId} is the last one of the page before. */
    public List<JoinedProxy> list(String afterId, int limit) {
        int colon = afterId.indexOf(':');
        return jdbi.withHandle(handle -> handle.createQuery(SELECT
                        + " WHERE (p.interlay, p.name) > (:interlay, :name) ORDER BY p.interlay, p.name LIMIT :limit")
                .bind("interlay", colon < 0 ? afterId : afterId.substring(0, colon))
                .bind("name", colon < 0 ? "" : afterId.substring(colon + 1))
                .bind("limit", limit)
                .map((row, _) -> found(row).proxy())
                .list());
    }

    public Found get(String id) {
        return jdbi.withHandle(handle -> find(handle, id));
    }

    /**
     * Forgets a proxy that is as it was found and still silent. Throws a {@link Problem} where it was heard meanwhile.
     *
     * @param looked what the active server showed of it, for the audit log
     */
    public void remove(Found found, String looked, String reason, String actor) {
        jdbi.useTransaction(handle -> {
            int removed = handle.createUpdate("""
                            DELETE FROM proxy WHERE interlay = :interlay AND name = :name AND incarnation = :incarnation
                            AND seen_at < clock_timestamp() - make_interval(secs => :silence)""")
                    .bind("interlay", found.proxy().interlay())
                    .bind("name", found.proxy().proxy())
                    .bind("incarnation", found.incarnation())
                    .bind("silence", SILENCE.toSeconds())
                    .execute();
            if (removed == 0) {
                throw alive(find(handle, found.proxy().id()));
            }
            audit.append(
                    handle,
                    new AuditLog.Entry(
                            actor,
                            "proxy.removed",
                            "proxy/" + found.proxy().id(),
                            found.migration(),
                            null,
                            null,
                            reason,
                            AuditLog.node(found.proxy()),
                            AuditLog.node(Map.of("looked", looked))));
            RequestClaim.done(handle);
        });
    }

    public static Problem alive(Found found) {
        return new Problem(
                ErrorCode.PROXY_ALIVE,
                "proxy " + found.proxy().id() + " was heard " + Math.max(0, Math.round(found.silentSeconds()))
                        + " s ago");
    }

    private static Found find(Handle handle, String id) {
        int colon = id.indexOf(':');
        return handle.createQuery(SELECT + " WHERE p.interlay = :interlay AND p.name = :name")
                .bind("interlay", colon < 0 ? "" : id.substring(0, colon))
                .bind("name", id.substring(colon + 1))
                .map((row, _) -> found(row))
                .findOne()
                .orElseThrow(() -> new Problem(ErrorCode.PROXY_NOT_FOUND, "proxy " + id + " has not joined"));
    }

    private static Found found(ResultSet row) throws SQLException {
        String interlay = row.getString("interlay");
        String name = row.getString("name");
        return new Found(
                new JoinedProxy(
                        interlay + ":" + name,
                        interlay,
                        name,
                        row.getString("listen"),
                        row.getString("version").replaceFirst("\\+wire\\.[0-9]+$", ""),
                        row.getInt("wire"),
                        row.getBoolean("alive"),
                        row.getBoolean("alive") && row.getInt("wire") > 1
                                ? row.getObject("serving", Boolean.class)
                                : null,
                        row.getObject("connections", Long.class),
                        time(row, "joined_at"),
                        time(row, "seen_at")),
                row.getString("incarnation"),
                row.getDouble("silent"),
                row.getString("active"),
                row.getString("migration"));
    }

    private static String time(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant().toString();
    }
}
