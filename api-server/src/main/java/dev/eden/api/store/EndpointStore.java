package dev.eden.api.store;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.LinkTls;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The databases Eden may connect to. Credentials are sealed in the row and leave only towards a connection. */
public final class EndpointStore implements EndpointDirectory {
    private static final String INTERLAY = "interlay ";

    /** No proxy learns of a new address while it serves: those that know the old one and those that know the new one would write to two servers. */
    private static final String UNUSED =
            "; one that was wrong from the beginning: stop the interlay's proxies (start a server that has one inside without listening for applications), delete the interlay, change the endpoint, and start them again";

    private final Jdbi jdbi;
    private final SecretCipher cipher;
    private final AuditLog audit;
    private final RouteHooks routes;

    public EndpointStore(Jdbi jdbi, SecretCipher cipher, AuditLog audit, RouteHooks routes) {
        this.jdbi = jdbi;
        this.cipher = cipher;
        this.audit = audit;
        this.routes = routes;
    }

    /** What REST shows: no user, no password, only whether there are any. */
    public record EndpointView(
            String id,
            String engine,
            String uri,
            String host,
            int port,
            boolean tls,
            @Nullable String database,
            boolean hasCredentials,
            Options options,
            Map<String, String> labels,
            String createdAt,
            String updatedAt) {}

    /**
     * @param clientLogin {@code endpoint}: clients that never log in are given the endpoint's credentials; {@code none}
     * @param linkTls {@code system} or {@code require}, of a PostgreSQL with TLS; null where there is a {@code linkCaFile}
     */
    public record Options(
            String clientLogin,
            @Nullable String linkTls,
            @Nullable String linkCaFile) {}

    /** An endpoint as asked for. */
    public record NewEndpoint(
            String id,
            String engine,
            String host,
            int port,
            boolean tls,
            @Nullable String database,
            Credentials credentials,
            boolean clientLogin,
            LinkTls link,
            Map<String, String> labels) {}

    /** What a request says about credentials. */
    public sealed interface Credentials {
        /** Leave those there are. */
        record Keep() implements Credentials {}

        /** Have none. */
        record None() implements Credentials {}

        record Given(Backend.Login login) implements Credentials {}

        /** A password alone: of the user there is, as long as the engine stays; else of {@code otherwise}. */
        record Password(Secret password, String otherwise) implements Credentials {}
    }

    /** Creates it; interlays of its engine that are still unbound take it. */
    public EndpointView create(NewEndpoint endpoint, String actor) {
        return jdbi.inTransaction(handle -> {
            int inserted = handle.createUpdate("""
                            INSERT INTO endpoint (id, engine, host, port, tls, database, credentials, client_login, link_tls, link_ca_file, labels)
                            VALUES (:id, :engine, :host, :port, :tls, :database, :credentials, :clientLogin,
                                :linkTls, :linkCaFile, CAST(:labels AS jsonb))
                            ON CONFLICT (id) DO NOTHING""")
                    .bind("id", endpoint.id())
                    .bind("engine", endpoint.engine())
                    .bind("host", endpoint.host())
                    .bind("port", endpoint.port())
                    .bind("tls", endpoint.tls())
                    .bind("database", endpoint.database())
                    .bind("credentials", sealed(endpoint, null))
                    .bind("clientLogin", endpoint.clientLogin())
                    .bind("linkTls", endpoint.link() instanceof LinkTls.Unverified ? "require" : "system")
                    .bind("linkCaFile", endpoint.link() instanceof LinkTls.OfFile(String file) ? file : null)
                    .bind("labels", Json.write(endpoint.labels()))
                    .execute();
            if (inserted == 0) {
                if (RequestClaim.wasDone(handle)) {
                    return view(handle, endpoint.id());
                }
                throw new Problem(ErrorCode.ENDPOINT_EXISTS, "endpoint " + endpoint.id() + " exists already");
            }
            EndpointView view = view(handle, endpoint.id());
            audit.append(handle, AuditLog.Entry.of(actor, "endpoint.created", "endpoint/" + endpoint.id(), null, view));
            bindUnbound(handle, endpoint, actor);
            RequestClaim.done(handle);
            return view;
        });
    }

    private void bindUnbound(Handle handle, NewEndpoint endpoint, String actor) {
        List<String> bound = handle.createQuery("""
                        UPDATE interlay SET endpoint = :endpoint WHERE endpoint IS NULL AND engine = :engine RETURNING id""")
                .bind("endpoint", endpoint.id())
                .bind("engine", endpoint.engine())
                .mapTo(String.class)
                .list();
        for (String interlay : bound) {
            routes.interlayBound(handle, interlay, endpoint.id());
            audit.append(
                    handle,
                    AuditLog.Entry.of(
                            actor, "interlay.bound", "interlay/" + interlay, null, Map.of("endpoint", endpoint.id())));
        }
    }

    /** Replaces it. Engine and address stay as they are while an interlay or a migration uses it (409). */
    public EndpointView replace(NewEndpoint endpoint, String actor) {
        return jdbi.inTransaction(handle -> {
            Row old = handle.createQuery("SELECT * FROM endpoint WHERE id = :id FOR UPDATE")
                    .bind("id", endpoint.id())
                    .map((row, _) -> Row.of(row))
                    .findOne()
                    .orElseThrow(() -> unknown(endpoint.id()));
            boolean moved = !old.engine().equals(endpoint.engine())
                    || !old.host().equals(endpoint.host())
                    || old.port() != endpoint.port()
                    || old.tls() != endpoint.tls()
                    || !java.util.Objects.equals(old.database(), endpoint.database());
            if (moved) {
                usedBy(handle, endpoint.id()).ifPresent(user -> {
                    throw new Problem(
                            ErrorCode.ENDPOINT_IN_USE,
                            "the address of endpoint " + endpoint.id() + " can't change while " + user + " uses it"
                                    + (user.startsWith(INTERLAY) ? UNUSED : ""));
                });
            }
            EndpointView before = old.view();
            handle.createUpdate("""
                            UPDATE endpoint SET engine = :engine, host = :host, port = :port, tls = :tls, database = :database,
                                credentials = :credentials, client_login = :clientLogin, link_tls = :linkTls, link_ca_file = :linkCaFile,
                                labels = CAST(:labels AS jsonb), updated_at = now()
                            WHERE id = :id""")
                    .bind("id", endpoint.id())
                    .bind("engine", endpoint.engine())
                    .bind("host", endpoint.host())
                    .bind("port", endpoint.port())
                    .bind("tls", endpoint.tls())
                    .bind("database", endpoint.database())
                    .bind("credentials", sealed(endpoint, old))
                    .bind("clientLogin", endpoint.clientLogin())
                    .bind("linkTls", endpoint.link() instanceof LinkTls.Unverified ? "require" : "system")
                    .bind("linkCaFile", endpoint.link() instanceof LinkTls.OfFile(String file) ? file : null)
                    .bind("labels", Json.write(endpoint.labels()))
                    .execute();
            EndpointView after = view(handle, endpoint.id());
            routes.endpointChanged(handle, endpoint.id());
            audit.append(
                    handle, AuditLog.Entry.of(actor, "endpoint.replaced", "endpoint/" + endpoint.id(), before, after));
            return after;
        });
    }

    public void delete(String id, String actor) {
        jdbi.useTransaction(handle -> {
            EndpointView before = find(handle, id, true).orElseThrow(() -> unknown(id));
            usedBy(handle, id).ifPresent(user -> {
                throw new Problem(ErrorCode.ENDPOINT_IN_USE, "endpoint " + id + " is used by " + user);
            });
            handle.createUpdate("DELETE FROM endpoint WHERE id = :id")
                    .bind("id", id)
                    .execute();
            audit.append(handle, AuditLog.Entry.of(actor, "endpoint.deleted", "endpoint/" + id, before, null));
            RequestClaim.done(handle);
        });
    }

    /** Ordered by id; {@code afterId} is the last one of the page before. */
    public List<EndpointView> list(String afterId, int limit) {
        return jdbi.withHandle(
                handle -> handle.createQuery("SELECT * FROM endpoint WHERE id > :after ORDER BY id LIMIT :limit")
                        .bind("after", afterId)
                        .bind("limit", limit)
                        .map((row, _) -> Row.of(row).view())
                        .list());
    }

    public EndpointView get(String id) {
        return jdbi.withHandle(handle -> view(handle, id));
    }

    @Override
    public Endpoint endpoint(String id) {
        return jdbi.withHandle(handle -> endpoint(handle, id));
    }

    /** As {@link #endpoint(String)}, in the caller's transaction. */
    public Endpoint endpoint(Handle handle, String id) {
        Row row = handle.createQuery("SELECT * FROM endpoint WHERE id = :id")
                .bind("id", id)
                .map((set, _) -> Row.of(set))
                .findOne()
                .orElseThrow(() -> new NoSuchElementException("endpoint " + id));
        return new Endpoint(
                row.id(),
                row.engine(),
                row.host(),
                row.port(),
                row.tls(),
                login(row),
                row.database(),
                row.clientLogin(),
                row.link());
    }

    /** {@code interlay x} or {@code migration y}. */
    private static Optional<String> usedBy(Handle handle, String id) {
        return handle.createQuery("""
                        SELECT 'interlay ' || id FROM interlay WHERE endpoint = :id
                        UNION ALL SELECT 'migration ' || migration FROM migration_endpoint WHERE endpoint = :id
                        LIMIT 1""").bind("id", id).mapTo(String.class).findOne();
    }

    static Problem unknown(String id) {
        return new Problem(ErrorCode.ENDPOINT_NOT_FOUND, "endpoint " + id + " does not exist");
    }

    private static EndpointView view(Handle handle, String id) {
        return find(handle, id, false).orElseThrow(() -> unknown(id));
    }

    private static Optional<EndpointView> find(Handle handle, String id, boolean lock) {
        return handle.createQuery("SELECT * FROM endpoint WHERE id = :id" + (lock ? " FOR UPDATE" : ""))
                .bind("id", id)
                .map((row, _) -> Row.of(row).view())
                .findOne();
    }

    private byte @Nullable [] sealed(NewEndpoint endpoint, @Nullable Row old) {
        return switch (endpoint.credentials()) {
            case Credentials.Keep _ -> old == null ? null : old.credentials();
            case Credentials.None _ -> null;
            case Credentials.Given(Backend.Login login) -> seal(endpoint.id(), login);
            case Credentials.Password(Secret password, String otherwise) -> {
                Backend.Login known = old == null || !old.engine().equals(endpoint.engine()) ? null : login(old);
                yield seal(endpoint.id(), new Backend.Login(known == null ? otherwise : known.user(), password));
            }
        };
    }

    private byte[] seal(String endpoint, Backend.Login login) {
        return cipher.seal(
                Sealed.endpoint(endpoint),
                Json.write(Map.of(
                        "username", login.user(), "password", login.password().reveal())));
    }

    private Backend.@Nullable Login login(Row row) {
        byte[] sealed = row.credentials();
        if (sealed == null) {
            return null;
        }
        JsonNode plain = Json.tree(cipher.open(Sealed.endpoint(row.id()), sealed));
        return new Backend.Login(
                plain.path("username").asText(),
                new Secret(plain.path("password").asText()));
    }

    private record Row(
            String id,
            String engine,
            String host,
            int port,
            boolean tls,
            @Nullable String database,
            byte @Nullable [] credentials,
            boolean clientLogin,
            LinkTls link,
            String labels,
            String createdAt,
            String updatedAt) {

        static Row of(ResultSet row) throws SQLException {
            return new Row(
                    row.getString("id"),
                    row.getString("engine"),
                    row.getString("host"),
                    row.getInt("port"),
                    row.getBoolean("tls"),
                    row.getString("database"),
                    row.getBytes("credentials"),
                    row.getBoolean("client_login"),
                    link(row.getString("link_tls"), row.getString("link_ca_file")),
                    row.getString("labels"),
                    row.getObject("created_at", OffsetDateTime.class)
                            .toInstant()
                            .toString(),
                    row.getObject("updated_at", OffsetDateTime.class)
                            .toInstant()
                            .toString());
        }

        private static LinkTls link(String mode, @Nullable String file) {
            if (file != null) {
                return new LinkTls.OfFile(file);
            }
            return mode.equals("require") ? new LinkTls.Unverified() : new LinkTls.OfSystem();
        }

        private Options options() {
            String login = clientLogin ? "endpoint" : "none";
            if (!tls || !engine.equals("postgres")) {
                return new Options(login, null, null);
            }
            return switch (link) {
                case LinkTls.OfSystem _ -> new Options(login, "system", null);
                case LinkTls.Unverified _ -> new Options(login, "require", null);
                case LinkTls.OfFile(String file) -> new Options(login, null, file);
            };
        }

        private String path() {
            return database == null
                    ? ""
                    : "/" + URLEncoder.encode(database, StandardCharsets.UTF_8).replace("+", "%20");
        }

        /** Of a Redis the scheme says it. */
        private boolean verifies() {
            return tls && engine.equals("postgres");
        }

        /** Its {@code uri} may be given back: it makes the same endpoint. */
        EndpointView view() {
            String scheme = engine.equals("postgres") ? "postgresql" : tls ? "rediss" : "redis";
            String shown = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
            String uri = scheme + "://" + shown + ":" + port + path() + (verifies() ? "?sslmode=verify-full" : "");
            return new EndpointView(
                    id,
                    engine,
                    uri,
                    host,
                    port,
                    tls,
                    database,
                    credentials != null,
                    options(),
                    Labels.of(labels),
                    createdAt,
                    updatedAt);
        }
    }
}
