package dev.eden.api.route;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ServerRecords;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.InterlayUserStore;
import dev.eden.proxy.Backend;
import dev.eden.proxy.CanaryPolicy;
import dev.eden.proxy.CancelKey;
import dev.eden.proxy.ForcedOpening;
import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.NotJoinedException;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.Route;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.RouteStoreException;
import dev.eden.proxy.TrafficReport;
import dev.eden.proxy.WireRefusedException;
import dev.eden.proxy.WireVersion;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** {@link RouteStore} straight on PostgreSQL, for every proxy process. Thread-safe. */
public final class PostgresRouteStore implements RouteStore {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String SELECT = """
            SELECT interlay, version, epoch, state, attempt, deadline_ms, active, standby, active_tag, migration,
                   read_share, consistency, max_wait_ms, ack_both
            FROM route WHERE interlay = :interlay
            """;
    /** With who has joined under the name: whoever reads must be that one. */
    private static final String SELECT_JOINED = SELECT.replace("ack_both", """
            ack_both, (SELECT p.incarnation FROM proxy p WHERE p.interlay = route.interlay AND p.name = :name) AS joined""");

    private static final String SERVING = ", serving = :serving";
    private static final String REPORT = """
            WITH hasty AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
            UPDATE proxy SET seen_at = clock_timestamp(), traffic = :traffic::jsonb, listen = :listen, serving = :serving FROM hasty
            WHERE interlay = :interlay AND name = :name AND incarnation = :incarnation""";

    private final Jdbi jdbi;
    private final StoreChanges changes;
    private final KnownServers servers;
    private final KnownUsers users;
    private final StoredCancels cancels;
    private final AuditLog audit;
    private final int newest;
    private volatile int wire;

    /** {@code jdbi}: a pool with short time limits; nobody who shares it may keep a connection while waiting for anything else, or leases are late. */
    public PostgresRouteStore(
            Jdbi jdbi,
            StoreChanges changes,
            EndpointDirectory endpoints,
            ServerRecords records,
            InterlayUserStore users) {
        this(jdbi, changes, endpoints, records, users, WireVersion.configured());
    }

    /** @param newest the {@link WireVersion} to speak where the servers do too */
    public PostgresRouteStore(
            Jdbi jdbi,
            StoreChanges changes,
            EndpointDirectory endpoints,
            ServerRecords records,
            InterlayUserStore users,
            int newest) {
        this.newest = newest;
        this.wire = WireVersion.OLDEST;
        this.jdbi = jdbi;
        this.changes = changes;
        this.servers = new KnownServers(endpoints, records);
        this.users = new KnownUsers(users);
        this.cancels = new StoredCancels(jdbi, changes);
        this.audit = new AuditLog(jdbi);
    }

    @Override
    public Route join(ProxyIdentity proxy, String interlay) {
        return guarded(
                "join",
                h -> h.inTransaction(t -> {
                    // The share lock orders this against arming: see PostgresRouteLedger#arm.
                    Row row = row(t, interlay, SELECT + " FOR SHARE");
                    wire = agreed(t);
                    t.createUpdate("""
                            INSERT INTO proxy (name, interlay, incarnation, listen, version)
                            VALUES (:name, :interlay, :incarnation, :listen, :version)
                            ON CONFLICT (interlay, name) DO UPDATE SET incarnation = :incarnation, listen = :listen,
                                version = :version, joined_at = clock_timestamp(), seen_at = clock_timestamp(), traffic = NULL""")
                            .bind("name", proxy.name())
                            .bind("interlay", interlay)
                            .bind("incarnation", proxy.incarnation())
                            .bind("listen", proxy.listen())
                            .bind("version", stated(proxy))
                            .execute();
                    return row;
                }));
    }

    private int agreed(Handle h) {
        // Servers from before the table speak 1.
        boolean told = h.createQuery("SELECT to_regclass('wire') IS NOT NULL")
                .mapTo(Boolean.class)
                .one();
        return told
                ? h.createQuery("SELECT oldest, newest FROM wire")
                        .map((rs, _) -> WireVersion.agreed(newest, rs.getInt("oldest"), rs.getInt("newest")))
                        .one()
                : WireVersion.agreed(newest, 1, 1);
    }

    /** In the words of semantic versioning, beside the version: an older proxy that joins under the name overwrites both. */
    private String stated(ProxyIdentity proxy) {
        return wire < 2 ? proxy.version() : proxy.version() + "+wire." + wire;
    }

    @Override
    public Route read(ProxyIdentity proxy, String interlay) {
        return guarded(
                "read",
                h -> h.createQuery(SELECT_JOINED)
                        .bind("interlay", interlay)
                        .bind("name", proxy.name())
                        .map((rs, _) -> {
                            String joined = rs.getString("joined");
                            if (!proxy.incarnation().equals(joined)) {
                                throw new NotJoinedException(proxy.name(), interlay, joined != null);
                            }
                            return map(rs);
                        })
                        .findOne()
                        .orElseThrow(() -> unknown(interlay)));
    }

    @Override
    public InterlayUsers users(String interlay) {
        try {
            return jdbi.withHandle(handle -> users.of(handle, interlay));
        } catch (RuntimeException e) {
            throw new RouteStoreException("users: Eden's store cannot be read", e);
        }
    }

    @Override
    public void acknowledge(ProxyIdentity proxy, String interlay, long attempt, Step step, String detail) {
        run(
                "acknowledge",
                // An acknowledgement that a crash of the store loses aborts the attempt, which is what such a crash
                // does
                // anyway.
                h -> h.createUpdate("""
                        WITH hasty AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
                        INSERT INTO acknowledgement (attempt, proxy, interlay, step, detail)
                        SELECT :attempt, :proxy, :interlay, :step, :detail FROM hasty ON CONFLICT DO NOTHING""")
                        .bind("attempt", attempt)
                        .bind("proxy", proxy.name())
                        .bind("interlay", interlay)
                        .bind("step", step.name())
                        .bind("detail", detail)
                        .execute());
    }

    @Override
    public boolean abort(String interlay, long epoch, long attempt, String reason) {
        int[] changed = new int[1];
        run(
                "abort",
                h -> h.useTransaction(t -> {
                    changed[0] = t.createUpdate("""
                            UPDATE route SET state = 'ABORTING'
                            WHERE migration = (SELECT migration FROM route WHERE interlay = :interlay)
                                  AND epoch = :epoch AND attempt = :attempt AND state = 'PREPARED'""")
                            .bind("interlay", interlay)
                            .bind("epoch", epoch)
                            .bind("attempt", attempt)
                            .execute();
                    if (changed[0] > 0) {
                        t.createUpdate("UPDATE attempt SET reason = :reason WHERE id = :id AND reason IS NULL")
                                .bind("reason", reason)
                                .bind("id", attempt)
                                .execute();
                    }
                }));
        return changed[0] > 0;
    }

    @Override
    public void report(ProxyIdentity proxy, String interlay, TrafficReport report, boolean serving) {
        String json;
        try {
            json = JSON.writeValueAsString(report);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        run(
                "report",
                h -> h.createUpdate(wire < 2 ? REPORT.replace(SERVING, "") : REPORT)
                        .bind("traffic", json)
                        .bind("serving", serving)
                        .bind("interlay", interlay)
                        .bind("name", proxy.name())
                        .bind("incarnation", proxy.incarnation())
                        .bind("listen", proxy.listen())
                        .execute());
    }

    @Override
    public void forced(ProxyIdentity proxy, String interlay, ForcedOpening opening, String outcome) {
        run("forced", h -> {
            String migration = h.createQuery("SELECT migration FROM route WHERE interlay = :interlay")
                    .bind("interlay", interlay)
                    .mapTo(String.class)
                    .findOne()
                    .orElse(null);
            audit.append(new AuditLog.Entry(
                    opening.actor(),
                    "interlay.force_opened",
                    "interlay/" + interlay,
                    migration,
                    null,
                    null,
                    opening.reason(),
                    null,
                    JSON.createObjectNode()
                            .put("proxy", proxy.name())
                            .put("owner", opening.owner())
                            .put("outcome", outcome)));
        });
    }

    @Override
    public void leave(ProxyIdentity proxy, String interlay) {
        run(
                "leave",
                h -> h.createUpdate(
                                "DELETE FROM proxy WHERE interlay = :interlay AND name = :name AND incarnation = :incarnation")
                        .bind("interlay", interlay)
                        .bind("name", proxy.name())
                        .bind("incarnation", proxy.incarnation())
                        .execute());
    }

    @Override
    public Subscription watch(String interlay, Runnable onChange) {
        Runnable stop = changes.listen((channel, payload) -> {
            if (channel.isEmpty() || channel.equals("eden_route") && payload.equals(interlay)) {
                onChange.run();
            }
        });
        return stop::run;
    }

    @Override
    public void cancel(String interlay, CancelKey key) {
        try {
            cancels.ask(interlay, key);
        } catch (RuntimeException e) {
            throw new RouteStoreException("cancel: Eden's store cannot be written", e);
        }
    }

    @Override
    public Subscription cancels(String interlay, CancelAnswer answer) {
        Runnable stop = cancels.answer(interlay, answer);
        return stop::run;
    }

    private record Row(
            String interlay,
            long version,
            long epoch,
            RouteState state,
            long attempt,
            long deadlineMillis,
            @Nullable String active,
            @Nullable String standby,
            int activeTag,
            @Nullable String migration,
            CanaryPolicy canary,
            boolean ackBoth) {}

    private static Row row(Handle h, String interlay, String sql) {
        return h.createQuery(sql)
                .bind("interlay", interlay)
                .map((rs, _) -> map(rs))
                .findOne()
                .orElseThrow(() -> unknown(interlay));
    }

    private static NoSuchElementException unknown(String interlay) {
        return new NoSuchElementException("there is no interlay " + interlay);
    }

    private static Row map(ResultSet rs) throws SQLException {
        return new Row(
                rs.getString("interlay"),
                rs.getLong("version"),
                rs.getLong("epoch"),
                RouteState.valueOf(rs.getString("state")),
                rs.getLong("attempt"),
                rs.getLong("deadline_ms"),
                rs.getString("active"),
                rs.getString("standby"),
                rs.getInt("active_tag"),
                rs.getString("migration"),
                new CanaryPolicy(
                        rs.getDouble("read_share"),
                        CanaryPolicy.Consistency.valueOf(rs.getString("consistency")),
                        Duration.ofMillis(rs.getLong("max_wait_ms"))),
                rs.getBoolean("ack_both"));
    }

    private Route route(Row row) {
        String migration = row.migration();
        String standby = row.standby();
        boolean moving = migration != null && standby != null;
        return new Route(
                row.interlay(),
                row.version(),
                row.epoch(),
                row.state(),
                row.attempt(),
                row.deadlineMillis(),
                backend(row.active(), moving ? migration : null),
                backend(standby, migration),
                row.activeTag(),
                moving
                        ? servers.applied(
                                java.util.Objects.requireNonNull(standby), java.util.Objects.requireNonNull(migration))
                        : null,
                row.canary(),
                row.ackBoth());
    }

    private @Nullable Backend backend(@Nullable String endpointId, @Nullable String migration) {
        return endpointId == null ? null : servers.backend(endpointId, migration);
    }

    private Route guarded(String what, Function<Handle, Row> work) {
        try {
            return route(jdbi.withHandle(work::apply));
        } catch (NoSuchElementException | NotJoinedException | WireRefusedException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new RouteStoreException(what + ": Eden's store cannot be read", e);
        }
    }

    private void run(String what, java.util.function.Consumer<Handle> work) {
        try {
            jdbi.useHandle(work::accept);
        } catch (RuntimeException e) {
            throw new RouteStoreException(what + ": Eden's store cannot be written", e);
        }
    }
}
