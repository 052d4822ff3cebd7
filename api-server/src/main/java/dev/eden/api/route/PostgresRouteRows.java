package dev.eden.api.route;

import dev.eden.api.store.RouteHooks;
import dev.eden.api.store.RouteReports;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** What the directory of interlays and REST need of the route tables. Thread-safe. */
public final class PostgresRouteRows implements RouteHooks, RouteReports {
    private static final String TRAFFIC = """
            SELECT interlay, name, listen, seen_at > clock_timestamp() - interval '3 seconds' AS alive, traffic::text AS traffic,
                   (extract(epoch FROM seen_at) * 1000)::bigint AS millis
            FROM proxy WHERE traffic IS NOT NULL""";

    private final Jdbi jdbi;

    public PostgresRouteRows(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    @Override
    public void interlayCreated(Handle handle, String interlay, @Nullable String endpoint) {
        handle.createUpdate("INSERT INTO route (interlay, active) VALUES (:interlay, :endpoint)")
                .bind("interlay", interlay)
                .bind("endpoint", endpoint)
                .execute();
    }

    @Override
    public void interlayBound(Handle handle, String interlay, String endpoint) {
        handle.createUpdate("UPDATE route SET active = :endpoint WHERE interlay = :interlay AND active IS NULL")
                .bind("interlay", interlay)
                .bind("endpoint", endpoint)
                .execute();
    }

    @Override
    public void endpointChanged(Handle handle, String endpoint) {
        handle.createUpdate(
                        "UPDATE route SET coordinator = coordinator WHERE active = :endpoint OR standby = :endpoint")
                .bind("endpoint", endpoint)
                .execute();
    }

    @Override
    public List<ProxyTraffic> traffic(String interlay) {
        return jdbi.withHandle(h -> h.createQuery(TRAFFIC + " AND interlay = :interlay ORDER BY name")
                .bind("interlay", interlay)
                .map((row, _) -> traffic(row))
                .list());
    }

    @Override
    public Map<String, List<ProxyTraffic>> traffic() {
        Map<String, List<ProxyTraffic>> all = new HashMap<>();
        jdbi.useHandle(h -> h.createQuery(TRAFFIC + " ORDER BY interlay, name")
                .map((row, _) -> Map.entry(row.getString("interlay"), traffic(row)))
                .forEach(one -> all.computeIfAbsent(one.getKey(), _ -> new ArrayList<>())
                        .add(one.getValue())));
        return all;
    }

    private static ProxyTraffic traffic(ResultSet row) throws SQLException {
        return new ProxyTraffic(
                row.getString("name"),
                row.getString("listen"),
                row.getBoolean("alive"),
                PostgresRouteLedger.report(row.getString("traffic")),
                row.getLong("millis"));
    }

    /** The report of one attempt, as its coordinator wrote it. */
    public Optional<String> attemptReport(long attempt) {
        return jdbi.withHandle(
                h -> h.createQuery("SELECT report::text FROM attempt WHERE id = :id AND report IS NOT NULL")
                        .bind("id", attempt)
                        .mapTo(String.class)
                        .findOne());
    }

    @Override
    public List<AttemptReport> attempts(String migration) {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT id, direction, outcome, report::text AS report, (extract(epoch FROM started_at) * 1000)::bigint AS millis
                        FROM attempt WHERE migration = :migration AND report IS NOT NULL ORDER BY id""")
                .bind("migration", migration)
                .map((rs, _) -> new AttemptReport(
                        rs.getLong("id"),
                        rs.getString("direction"),
                        rs.getString("outcome"),
                        rs.getString("report"),
                        rs.getLong("millis")))
                .list());
    }
}
