package dev.eden.api.store;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.problem.StartupException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Query;
import org.jspecify.annotations.Nullable;

/** Tokens, as SHA-256 hashes only: 256 random bits need no slow hash. A token is seen once, when it is made. */
public final class TokenStore {
    private static final String FROM_ENVIRONMENT = "environment";
    private static final String SYSTEM = "system";

    /** By these servers know what they did themselves: a token of an operator's must not have them. */
    public static final Set<String> OWN_LABELS = Set.of(FROM_ENVIRONMENT, SYSTEM);

    private final Jdbi jdbi;
    private final AuditLog audit;
    private final SecureRandom random = new SecureRandom();

    public TokenStore(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    /** What a token may do; each role may all that the one before may. */
    public enum Role {
        VIEWER,
        OPERATOR,
        ADMIN;

        public String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        public boolean includes(Role other) {
            return ordinal() >= other.ordinal();
        }
    }

    /** Who asks. {@code label} is the actor in the audit log. */
    public record Identity(UUID id, Role role, String label) {}

    public record TokenView(
            String id,
            String role,
            String label,
            String createdAt,
            @Nullable String expiresAt,
            @Nullable String revokedAt) {}

    public record NewToken(TokenView token, String secret) {}

    /** The identity behind a token that is neither expired nor revoked. */
    public Optional<Identity> authenticate(String token) {
        byte[] hash = hash(token);
        return jdbi.withHandle(handle -> handle.createQuery("""
                        SELECT hash, id, role, label FROM token
                        WHERE hash = :hash AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())""")
                .bind("hash", hash)
                .map((row, _) -> {
                    // The index finds by hash; comparing again in constant time costs nothing and tells nothing of a
                    // token.
                    boolean same = MessageDigest.isEqual(row.getBytes("hash"), hash);
                    return new Found(
                            same,
                            new Identity(
                                    row.getObject("id", UUID.class),
                                    role(row.getString("role")),
                                    row.getString("label")));
                })
                .findOne()
                .filter(Found::same)
                .map(Found::identity));
    }

    private record Found(boolean same, Identity identity) {}

    public NewToken create(Role role, String label, @Nullable Duration lifetime, String actor) {
        String secret = random();
        return jdbi.inTransaction(handle -> {
            handle.createUpdate("""
                            INSERT INTO token (hash, role, label, expires_at)
                            VALUES (:hash, :role, :label, now() + make_interval(secs => CAST(:seconds AS double precision)))""")
                    .bind("hash", hash(secret))
                    .bind("role", role.label())
                    .bind("label", label)
                    .bind("seconds", lifetime == null ? null : (double) lifetime.toSeconds())
                    .execute();
            TokenView view = handle.createQuery("SELECT * FROM token WHERE hash = :hash")
                    .bind("hash", hash(secret))
                    .map((row, _) -> view(row))
                    .one();
            audit.append(handle, AuditLog.Entry.of(actor, "token.created", "token/" + view.id(), null, view));
            return new NewToken(view, secret);
        });
    }

    /** In the order of their making; {@code afterId} is the last one of the page before, null before the first. */
    public List<TokenView> list(@Nullable UUID afterId, int limit) {
        String behind = afterId == null
                ? ""
                : "WHERE (created_at, id) > (SELECT t.created_at, t.id FROM token t WHERE t.id = :after)";
        return jdbi.withHandle(handle -> {
            Query query = handle.createQuery("SELECT * FROM token " + behind + " ORDER BY created_at, id LIMIT :limit")
                    .bind("limit", limit);
            if (afterId != null) {
                query.bind("after", afterId);
            }
            return query.map((row, _) -> view(row)).list();
        });
    }

    public void revoke(UUID id, String actor) {
        jdbi.useTransaction(handle -> {
            int known = handle.createUpdate("UPDATE token SET revoked_at = COALESCE(revoked_at, now()) WHERE id = :id")
                    .bind("id", id)
                    .execute();
            if (known == 0) {
                throw new Problem(ErrorCode.TOKEN_NOT_FOUND, "token " + id + " does not exist");
            }
            audit.append(handle, AuditLog.Entry.of(actor, "token.revoked", "token/" + id, null, null));
        });
    }

    /**
     * Makes {@code token} the admin token given from outside; the one given before is revoked.
     *
     * @throws StartupException where an admin has revoked it: a restart does not undo that
     */
    public void adminFromEnvironment(String token) {
        byte[] hash = hash(token);
        jdbi.useTransaction(handle -> {
            // Two servers may start at once.
            handle.execute("LOCK TABLE token IN SHARE ROW EXCLUSIVE MODE");
            @Nullable
            Given given = handle.createQuery("""
                            SELECT t.id, t.revoked_at IS NULL AND t.expires_at IS NULL AND t.role = 'admin' AS good, EXISTS (SELECT 1 FROM audit_log a
                                WHERE a.event = 'token.revoked' AND a.subject = 'token/' || t.id AND a.actor <> :system
                                    AND t.revoked_at IS NOT NULL) AS by_hand
                            FROM token t WHERE t.hash = :hash""")
                    .bind("hash", hash)
                    .bind("system", SYSTEM)
                    .map((row, _) -> new Given(
                            row.getObject("id", UUID.class), row.getBoolean("good"), row.getBoolean("by_hand")))
                    .findOne()
                    .orElse(null);
            if (given != null && given.byHand()) {
                throw new StartupException(
                        "the admin token given to this server was revoked (token/" + given.id() + ")",
                        "give another one in EDEN_ADMIN_TOKEN or --admin-token-file, or none: tokens that are good stay so");
            }
            handle.createQuery("""
                            UPDATE token SET revoked_at = now()
                            WHERE label = :label AND hash <> :hash AND revoked_at IS NULL RETURNING id""")
                    .bind("label", FROM_ENVIRONMENT)
                    .bind("hash", hash)
                    .map((row, _) -> row.getObject("id", UUID.class))
                    .list()
                    .forEach(former -> happened(handle, "token.revoked", former));
            if (given == null) {
                happened(handle, "token.created", insertAdmin(handle, hash, FROM_ENVIRONMENT));
            } else if (!given.good()) {
                handle.createUpdate(
                                "UPDATE token SET revoked_at = NULL, expires_at = NULL, role = 'admin' WHERE hash = :hash")
                        .bind("hash", hash)
                        .execute();
                happened(handle, "token.reinstated", given.id());
            }
        });
    }

    private record Given(UUID id, boolean good, boolean byHand) {}

    private static UUID insertAdmin(Handle handle, byte[] hash, String label) {
        return handle.createQuery("INSERT INTO token (hash, role, label) VALUES (:hash, 'admin', :label) RETURNING id")
                .bind("hash", hash)
                .bind("label", label)
                .map((row, _) -> row.getObject("id", UUID.class))
                .one();
    }

    private void happened(Handle handle, String event, UUID token) {
        audit.append(handle, AuditLog.Entry.of(SYSTEM, event, "token/" + token, null, null));
    }

    /** Neither expired nor revoked meanwhile. */
    public boolean good(UUID id) {
        return jdbi.withHandle(handle ->
                handle.createQuery("""
                        SELECT EXISTS (SELECT 1 FROM token
                        WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))""").bind("id", id).mapTo(Boolean.class).one());
    }

    /** Makes the first admin token; empty where there is an admin token already. */
    public Optional<String> firstAdmin() {
        String secret = random();
        return jdbi.inTransaction(handle -> {
            handle.execute("LOCK TABLE token IN SHARE ROW EXCLUSIVE MODE");
            if (hasAdmin(handle)) {
                return Optional.empty();
            }
            happened(handle, "token.created", insertAdmin(handle, hash(secret), "admin"));
            return Optional.of(secret);
        });
    }

    private static boolean hasAdmin(Handle handle) {
        return handle.createQuery("""
                        SELECT EXISTS (SELECT 1 FROM token WHERE role = 'admin' AND revoked_at IS NULL
                            AND (expires_at IS NULL OR expires_at > now()))""").mapTo(Boolean.class).one();
    }

    private String random() {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return "eden_" + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is not available", e);
        }
    }

    private static Role role(String label) {
        return Role.valueOf(label.toUpperCase(java.util.Locale.ROOT));
    }

    private static TokenView view(ResultSet row) throws SQLException {
        OffsetDateTime expires = row.getObject("expires_at", OffsetDateTime.class);
        OffsetDateTime revoked = row.getObject("revoked_at", OffsetDateTime.class);
        return new TokenView(
                row.getString("id"),
                row.getString("role"),
                row.getString("label"),
                row.getObject("created_at", OffsetDateTime.class).toInstant().toString(),
                expires == null ? null : expires.toInstant().toString(),
                revoked == null ? null : revoked.toInstant().toString());
    }
}
