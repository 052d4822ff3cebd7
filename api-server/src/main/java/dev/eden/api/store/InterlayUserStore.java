package dev.eden.api.store;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.activities.store.UserDirectory;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.Secret;
import java.security.SecureRandom;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The users whose passwords interlays have been given. A password is sealed in its row, with the verifier that all proxies hold its clients against,
 * and leaves only towards a proxy.
 */
public final class InterlayUserStore implements UserDirectory {
    public static final int MOST = 1_000;
    private static final Logger LOGGER = LoggerFactory.getLogger(InterlayUserStore.class);
    private static final int SEED_BYTES = 32;

    private final Jdbi jdbi;
    private final SecretCipher cipher;
    private final AuditLog audit;
    private final SecureRandom random = new SecureRandom();

    public InterlayUserStore(Jdbi jdbi, SecretCipher cipher, AuditLog audit) {
        this.jdbi = jdbi;
        this.cipher = cipher;
        this.audit = audit;
    }

    /** What REST shows. */
    public record UserView(String name, String setAt) {}

    /** Gives the interlay the user's password, the first or another one. */
    public UserView set(String interlay, String name, Secret password, String actor) {
        InterlayUsers.User user = InterlayUsers.User.of(password);
        return jdbi.inTransaction(handle -> {
            InterlayStore.Interlay front = held(handle, interlay);
            if (!front.engine().equals("postgres")) {
                throw new Problem(
                        ErrorCode.INVALID_FIELDS,
                        "one field is not right",
                        List.of(new FieldError(
                                "/password", "is for interlays of PostgreSQL; this one speaks " + front.engine())));
            }
            Optional<UserView> before = find(handle, interlay, name);
            if (before.isEmpty() && count(handle, interlay) >= MOST) {
                throw new Problem(
                        ErrorCode.TOO_MANY_USERS, "interlay " + interlay + " has the passwords of " + MOST + " users");
            }
            handle.createUpdate("""
                            INSERT INTO interlay_user (interlay, name, secret) VALUES (:interlay, :name, :secret)
                            ON CONFLICT (interlay, name) DO UPDATE SET secret = EXCLUDED.secret, set_at = now()""")
                    .bind("interlay", interlay)
                    .bind("name", name)
                    .bind("secret", seal(interlay, name, user))
                    .execute();
            changed(handle, interlay);
            UserView after = find(handle, interlay, name).orElseThrow(() -> unknown(interlay, name));
            audit.append(
                    handle,
                    AuditLog.Entry.of(actor, "interlay.user_set", "interlay/" + interlay, before.orElse(null), after));
            return after;
        });
    }

    public void remove(String interlay, String name, String actor) {
        jdbi.useTransaction(handle -> {
            held(handle, interlay);
            UserView before = find(handle, interlay, name).orElseThrow(() -> unknown(interlay, name));
            handle.createUpdate("DELETE FROM interlay_user WHERE interlay = :interlay AND name = :name")
                    .bind("interlay", interlay)
                    .bind("name", name)
                    .execute();
            changed(handle, interlay);
            audit.append(
                    handle, AuditLog.Entry.of(actor, "interlay.user_removed", "interlay/" + interlay, before, null));
            RequestClaim.done(handle);
        });
    }

    /** Ordered by name; {@code after} is the last one of the page before. */
    public List<UserView> list(String interlay, String after, int limit) {
        return jdbi.withHandle(handle -> {
            if (InterlayStore.find(handle, interlay, false).isEmpty()) {
                throw InterlayStore.unknown(interlay);
            }
            return handle.createQuery("""
                            SELECT name, set_at FROM interlay_user WHERE interlay = :interlay AND name > :after
                            ORDER BY name LIMIT :limit""")
                    .bind("interlay", interlay)
                    .bind("after", after)
                    .bind("limit", limit)
                    .map((row, _) -> view(row))
                    .list();
        });
    }

    @Override
    public Set<String> configured(List<String> interlays) {
        List<String> all = interlays.stream().distinct().toList();
        if (all.isEmpty()) {
            return Set.of();
        }
        return jdbi.withHandle(handle -> Set.copyOf(handle.createQuery(
                        "SELECT name FROM interlay_user WHERE interlay IN (<interlays>) GROUP BY name HAVING count(*) = :all")
                .bindList("interlays", all)
                .bind("all", all.size())
                .mapTo(String.class)
                .list()));
    }

    /** Which version of the users is the last one; makes what the proxies have in common where they are the first to ask. */
    public long version(Handle handle, String interlay) {
        return lastVersion(handle, interlay).orElseGet(() -> {
            handle.createUpdate(
                            "INSERT INTO interlay_login (interlay, seed) VALUES (:interlay, :seed) ON CONFLICT DO NOTHING")
                    .bind("interlay", interlay)
                    .bind("seed", freshSeed(interlay))
                    .execute();
            return lastVersion(handle, interlay).orElseThrow(() -> InterlayStore.unknown(interlay));
        });
    }

    private static Optional<Long> lastVersion(Handle handle, String interlay) {
        return handle.createQuery("SELECT version FROM interlay_login WHERE interlay = :interlay")
                .bind("interlay", interlay)
                .mapTo(Long.class)
                .findOne();
    }

    /** For a proxy. Whose password no key of this process opens is named: nobody is to take it for a user without one. */
    public InterlayUsers users(Handle handle, String interlay) {
        Map<String, InterlayUsers.User> users = new HashMap<>();
        Set<String> unreadable = new HashSet<>();
        handle.createQuery("SELECT name, secret FROM interlay_user WHERE interlay = :interlay")
                .bind("interlay", interlay)
                .map((row, _) -> Map.entry(row.getString("name"), row.getBytes("secret")))
                .forEach(row -> opened(Sealed.interlayUser(interlay, row.getKey()), row.getValue())
                        .map(InterlayUserStore::user)
                        .ifPresentOrElse(user -> users.put(row.getKey(), user), () -> unreadable.add(row.getKey())));
        Optional<Secret> seed = handle.createQuery("SELECT seed FROM interlay_login WHERE interlay = :interlay")
                .bind("interlay", interlay)
                .map((row, _) -> row.getBytes("seed"))
                .findOne()
                .flatMap(value -> opened(Sealed.interlaySeed(interlay), value))
                .map(Secret::new);
        return new InterlayUsers(Map.copyOf(users), Set.copyOf(unreadable), seed.orElse(null));
    }

    private Optional<String> opened(String identity, byte[] value) {
        try {
            return Optional.of(cipher.open(identity, value));
        } catch (SecretCipher.UnreadableSecretException e) {
            LOGGER.atError().addKeyValue("value", identity).log("of no use: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private static InterlayUsers.User user(String plain) {
        JsonNode user = Json.tree(plain);
        return new InterlayUsers.User(
                new Secret(user.path("password").asText()),
                new Secret(user.path("verifier").asText()));
    }

    private byte[] seal(String interlay, String name, InterlayUsers.User user) {
        return cipher.seal(
                Sealed.interlayUser(interlay, name),
                Json.write(Map.of(
                        "password",
                        user.password().reveal(),
                        "verifier",
                        user.verifier().reveal())));
    }

    private byte[] freshSeed(String interlay) {
        byte[] seed = new byte[SEED_BYTES];
        random.nextBytes(seed);
        return cipher.seal(Sealed.interlaySeed(interlay), Base64.getEncoder().encodeToString(seed));
    }

    /** Proxies read again. */
    private void changed(Handle handle, String interlay) {
        handle.createUpdate("""
                        INSERT INTO interlay_login (interlay, seed) VALUES (:interlay, :seed)
                        ON CONFLICT (interlay) DO UPDATE SET version = EXCLUDED.version""")
                .bind("interlay", interlay)
                .bind("seed", freshSeed(interlay))
                .execute();
    }

    /** Changes of one interlay's users come one after another. */
    private static InterlayStore.Interlay held(Handle handle, String interlay) {
        return InterlayStore.find(handle, interlay, true).orElseThrow(() -> InterlayStore.unknown(interlay));
    }

    private static Optional<UserView> find(Handle handle, String interlay, String name) {
        return handle.createQuery("SELECT name, set_at FROM interlay_user WHERE interlay = :interlay AND name = :name")
                .bind("interlay", interlay)
                .bind("name", name)
                .map((row, _) -> view(row))
                .findOne();
    }

    private static int count(Handle handle, String interlay) {
        return handle.createQuery("SELECT count(*) FROM interlay_user WHERE interlay = :interlay")
                .bind("interlay", interlay)
                .mapTo(Integer.class)
                .one();
    }

    private static UserView view(ResultSet row) throws SQLException {
        return new UserView(
                row.getString("name"),
                row.getObject("set_at", OffsetDateTime.class).toInstant().toString());
    }

    private static Problem unknown(String interlay, String name) {
        return new Problem(ErrorCode.USER_NOT_FOUND, "interlay " + interlay + " has no password of a user " + name);
    }
}
