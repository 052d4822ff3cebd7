package dev.eden.api.store;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The named fronts of endpoints. */
public final class InterlayStore {
    /** The migration that has claimed an endpoint and is under way, or about to be. */
    private static final String MOVING = """
            SELECT m.id FROM migration_endpoint c JOIN migration m ON m.id = c.migration
            WHERE c.endpoint = :endpoint AND (m.started_at IS NOT NULL OR m.start_claimed_at IS NOT NULL) AND m.ended_at IS NULL""";

    private final Jdbi jdbi;
    private final AuditLog audit;
    private final RouteHooks routes;

    public InterlayStore(Jdbi jdbi, AuditLog audit, RouteHooks routes) {
        this.jdbi = jdbi;
        this.audit = audit;
        this.routes = routes;
    }

    /**
     * @param endpoint null until bound
     * @param listen what its proxies are meant to listen on
     * @param tls whether a proxy needs a certificate to serve it
     * @param pool backend connections in all
     * @param pooling {@code transaction} or {@code session} of a PostgreSQL, null of a Redis
     */
    public record Interlay(
            String id,
            String engine,
            @Nullable String endpoint,
            @Nullable String listen,
            boolean tls,
            @Nullable Integer pool,
            @Nullable String pooling,
            String createdAt) {}

    /** @param served whether a proxy has joined it */
    public record LeftOut(String interlay, String endpoint, boolean served) {}

    /** Those before one of {@code endpoints} that are none of {@code interlays}; ordered by id. */
    public List<LeftOut> leftOut(List<String> interlays, List<String> endpoints) {
        return jdbi.withHandle(handle -> leftOut(handle, interlays, endpoints));
    }

    static List<LeftOut> leftOut(Handle handle, List<String> interlays, List<String> endpoints) {
        return handle.createQuery("""
                        SELECT i.id, i.endpoint, EXISTS (SELECT FROM proxy p WHERE p.interlay = i.id) AS served FROM interlay i
                        WHERE i.endpoint IN (<endpoints>) AND i.id NOT IN (<interlays>) ORDER BY i.id""")
                .bindList("endpoints", endpoints)
                .bindList("interlays", interlays)
                .map((row, _) -> new LeftOut(row.getString("id"), row.getString("endpoint"), row.getBoolean("served")))
                .list();
    }

    /** Creates one in front of an endpoint that exists and is not moving; its engine is the endpoint's. */
    public Interlay create(
            String id,
            String endpoint,
            @Nullable String listen,
            boolean tls,
            @Nullable Integer pool,
            @Nullable String pooling,
            String actor) {
        return jdbi.inTransaction(handle -> {
            if (RequestClaim.wasDone(handle)) {
                return find(handle, id, false).orElseThrow(() -> unknown(id));
            }
            String engine = handle.createQuery("SELECT engine FROM endpoint WHERE id = :id FOR SHARE")
                    .bind("id", endpoint)
                    .mapTo(String.class)
                    .findOne()
                    .orElseThrow(() -> EndpointStore.unknown(endpoint));
            moving(handle, endpoint).ifPresent(migration -> {
                throw new Problem(
                        ErrorCode.ENDPOINT_IN_MIGRATION,
                        "endpoint " + endpoint + " is moved by migration " + migration
                                + ", which an interlay can't join any more: its clients would be refused from the cutover on");
            });
            if (pooling != null) {
                requirePostgres(engine);
            }
            if (!insert(handle, id, engine, endpoint, listen, tls, pool, pooling)) {
                throw new Problem(ErrorCode.INTERLAY_EXISTS, "interlay " + id + " exists already");
            }
            return created(handle, id, endpoint, actor);
        });
    }

    /**
     * Makes the front of {@code eden server --listen} where there is none yet, bound to the oldest endpoint of its engine that is not moving, or
     * to the first one that will be created. A front that exists keeps its binding; its address is noted.
     */
    public Interlay ensure(String id, String engine, String listen, String actor) {
        return jdbi.inTransaction(handle -> {
            Optional<Interlay> existing = find(handle, id, true);
            if (existing.isPresent()) {
                handle.createUpdate("UPDATE interlay SET listen = :listen WHERE id = :id")
                        .bind("listen", listen)
                        .bind("id", id)
                        .execute();
                return find(handle, id, false).orElseThrow(() -> unknown(id));
            }
            String endpoint = handle
                    .createQuery("SELECT id FROM endpoint WHERE engine = :engine ORDER BY created_at, id")
                    .bind("engine", engine)
                    .mapTo(String.class)
                    .list()
                    .stream()
                    .filter(candidate ->
                            held(handle, candidate) && moving(handle, candidate).isEmpty())
                    .findFirst()
                    .orElse(null);
            if (!insert(handle, id, engine, endpoint, listen, false, null, null)) {
                return find(handle, id, false).orElseThrow(() -> unknown(id));
            }
            return created(handle, id, endpoint, actor);
        });
    }

    /** Proxies that start from now on keep clients' connections that long. */
    public Interlay changePooling(String id, String pooling, String actor) {
        return jdbi.inTransaction(handle -> {
            Interlay before = find(handle, id, true).orElseThrow(() -> unknown(id));
            requirePostgres(before.engine());
            handle.createUpdate("UPDATE interlay SET pooling = :pooling WHERE id = :id")
                    .bind("pooling", pooling)
                    .bind("id", id)
                    .execute();
            Interlay after = find(handle, id, false).orElseThrow(() -> unknown(id));
            audit.append(handle, AuditLog.Entry.of(actor, "interlay.changed", "interlay/" + id, before, after));
            return after;
        });
    }

    private static Optional<String> moving(Handle handle, String endpoint) {
        return handle.createQuery(MOVING)
                .bind("endpoint", endpoint)
                .mapTo(String.class)
                .findOne();
    }

    /** A start of a migration that moves it waits from here on, or has been through: see {@link MigrationStarts#claim}. */
    private static boolean held(Handle handle, String endpoint) {
        return handle.createQuery("SELECT id FROM endpoint WHERE id = :id FOR SHARE")
                .bind("id", endpoint)
                .mapTo(String.class)
                .findOne()
                .isPresent();
    }

    private static void requirePostgres(String engine) {
        if (!engine.equals("postgres")) {
            throw new Problem(
                    ErrorCode.INVALID_FIELDS,
                    "one field is not right",
                    List.of(new FieldError("/pooling", "is for interlays of PostgreSQL; this one speaks " + engine)));
        }
    }

    public void delete(String id, String actor) {
        jdbi.useTransaction(handle -> {
            Interlay before = find(handle, id, true).orElseThrow(() -> unknown(id));
            handle.createQuery("""
                            SELECT m.id FROM migration_interlay i JOIN migration m ON m.id = i.migration
                            WHERE i.interlay = :id AND m.ended_at IS NULL LIMIT 1""").bind("id", id).mapTo(String.class).findOne().ifPresent(migration -> {
                throw new Problem(ErrorCode.INTERLAY_IN_USE, "interlay " + id + " is used by migration " + migration);
            });
            // A proxy that joins from here on waits for this row's lock, and then finds no interlay.
            handle.createQuery("SELECT name FROM proxy WHERE interlay = :id ORDER BY name LIMIT 1")
                    .bind("id", id)
                    .mapTo(String.class)
                    .findOne()
                    .ifPresent(proxy -> {
                        throw new Problem(
                                ErrorCode.INTERLAY_IN_USE,
                                "interlay " + id + " is served by proxy " + id + ":" + proxy
                                        + ": stop it, or take it away with eden proxy remove " + id + ":" + proxy
                                        + " where it will not come back");
                    });
            handle.createUpdate("DELETE FROM interlay WHERE id = :id")
                    .bind("id", id)
                    .execute();
            audit.append(handle, AuditLog.Entry.of(actor, "interlay.deleted", "interlay/" + id, before, null));
            RequestClaim.done(handle);
        });
    }

    public List<Interlay> list() {
        return list("", Integer.MAX_VALUE);
    }

    /** Ordered by id; {@code afterId} is the last one of the page before. */
    public List<Interlay> list(String afterId, int limit) {
        return jdbi.withHandle(
                handle -> handle.createQuery("SELECT * FROM interlay WHERE id > :after ORDER BY id LIMIT :limit")
                        .bind("after", afterId)
                        .bind("limit", limit)
                        .map((row, _) -> interlay(row))
                        .list());
    }

    public Interlay get(String id) {
        return jdbi.withHandle(handle -> find(handle, id, false)).orElseThrow(() -> unknown(id));
    }

    static Problem unknown(String id) {
        return new Problem(ErrorCode.INTERLAY_NOT_FOUND, "interlay " + id + " does not exist");
    }

    static Optional<Interlay> find(Handle handle, String id, boolean lock) {
        return handle.createQuery("SELECT * FROM interlay WHERE id = :id" + (lock ? " FOR UPDATE" : ""))
                .bind("id", id)
                .map((row, _) -> interlay(row))
                .findOne();
    }

    private Interlay created(Handle handle, String id, @Nullable String endpoint, String actor) {
        Interlay made = find(handle, id, false).orElseThrow(() -> unknown(id));
        routes.interlayCreated(handle, id, endpoint);
        audit.append(handle, AuditLog.Entry.of(actor, "interlay.created", "interlay/" + id, null, made));
        RequestClaim.done(handle);
        return made;
    }

    private static boolean insert(
            Handle handle,
            String id,
            String engine,
            @Nullable String endpoint,
            @Nullable String listen,
            boolean tls,
            @Nullable Integer pool,
            @Nullable String pooling) {
        return handle.createUpdate("""
                                INSERT INTO interlay (id, engine, endpoint, listen, tls, pool, pooling)
                                VALUES (:id, :engine, :endpoint, :listen, :tls, :pool, :pooling) ON CONFLICT (id) DO NOTHING""")
                        .bind("id", id)
                        .bind("engine", engine)
                        .bind("endpoint", endpoint)
                        .bind("listen", listen)
                        .bind("tls", tls)
                        .bind("pool", pool)
                        .bind("pooling", pooling)
                        .execute()
                == 1;
    }

    private static Interlay interlay(ResultSet row) throws SQLException {
        @Nullable String pooling = row.getString("pooling");
        return new Interlay(
                row.getString("id"),
                row.getString("engine"),
                row.getString("endpoint"),
                row.getString("listen"),
                row.getBoolean("tls"),
                row.getObject("pool", Integer.class),
                pooling == null && row.getString("engine").equals("postgres") ? "transaction" : pooling,
                row.getObject("created_at", OffsetDateTime.class).toInstant().toString());
    }
}
