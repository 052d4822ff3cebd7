package dev.eden.api.store;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.store.MigrationEndedException;
import dev.eden.activities.store.ServerRecords;
import dev.eden.api.json.Json;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/** What Eden made or changed on servers, sealed under the record's name. Thread- and process-safe: the first value stored wins. */
public final class EncryptedServerRecords implements ServerRecords {
    private static final int PASSWORD_BYTES = 32;

    /** A record by itself: {@link #end} was told. */
    private static final String ENDED = "ended";

    private static final String NO_ENDPOINT = "";

    /** Of the records of a migration, those that are forgotten with it. */
    static final String BUT_THE_END = "(endpoint, name) <> ('" + NO_ENDPOINT + "', '" + ENDED + "')";

    private static final String ONGOING =
            "NOT EXISTS (SELECT FROM server_record WHERE migration = :migration AND NOT " + BUT_THE_END + ")";

    private final Jdbi jdbi;
    private final SecretCipher cipher;
    private final SecureRandom random = new SecureRandom();

    public EncryptedServerRecords(Jdbi jdbi, SecretCipher cipher) {
        this.jdbi = jdbi;
        this.cipher = cipher;
    }

    @Override
    public Backend.Login login(String migration, String endpoint, String name, String user) {
        requireOngoing(migration);
        Optional<String> stored = get(migration, endpoint, name);
        JsonNode login = Json.tree(stored.orElseGet(() -> {
            byte[] password = new byte[PASSWORD_BYTES];
            random.nextBytes(password);
            String fresh = Json.write(Map.of(
                    "user",
                    user,
                    "password",
                    Base64.getUrlEncoder().withoutPadding().encodeToString(password)));
            return putIfAbsent(migration, endpoint, name, fresh);
        }));
        return new Backend.Login(
                login.path("user").asText(), new Secret(login.path("password").asText()));
    }

    @Override
    public Optional<Backend.Login> storedLogin(String migration, String endpoint, String name) {
        return jdbi.withHandle(handle -> storedLogin(handle, migration, endpoint, name));
    }

    @Override
    public String putIfAbsent(String migration, String endpoint, String name, String value) {
        return jdbi.inTransaction(handle -> {
            handle.createUpdate("""
                            INSERT INTO server_record (migration, endpoint, name, value)
                            SELECT :migration, :endpoint, :name, :value WHERE\s""" + ONGOING + " ON CONFLICT DO NOTHING")
                    .bind("migration", migration)
                    .bind("endpoint", endpoint)
                    .bind("name", name)
                    .bind("value", cipher.seal(Sealed.serverRecord(migration, endpoint, name), value))
                    .execute();
            requireOngoing(handle, migration);
            return get(handle, migration, endpoint, name).orElseThrow();
        });
    }

    /** One statement: clients may be waiting. */
    @Override
    public void put(String migration, String endpoint, String name, String value) {
        if (put(migration, endpoint, name, value, ONGOING) == 0) {
            throw new MigrationEndedException(migration);
        }
    }

    @Override
    public void putAtEnd(String migration, String endpoint, String name, String value) {
        put(migration, endpoint, name, value, "true");
    }

    private int put(String migration, String endpoint, String name, String value, String condition) {
        return jdbi.withHandle(handle -> handle.createUpdate(
                        """
                        INSERT INTO server_record (migration, endpoint, name, value)
                        SELECT :migration, :endpoint, :name, :value WHERE\s""" + condition
                                + " ON CONFLICT (migration, endpoint, name) DO UPDATE SET value = EXCLUDED.value, updated_at = now()")
                .bind("migration", migration)
                .bind("endpoint", endpoint)
                .bind("name", name)
                .bind("value", cipher.seal(Sealed.serverRecord(migration, endpoint, name), value))
                .execute());
    }

    @Override
    public void end(String migration) {
        putAtEnd(migration, NO_ENDPOINT, ENDED, "true");
    }

    @Override
    public void requireOngoing(String migration) {
        jdbi.useHandle(handle -> requireOngoing(handle, migration));
    }

    /** As {@link #requireOngoing(String)}, in the caller's transaction. */
    public static void requireOngoing(Handle handle, String migration) {
        if (!handle.createQuery("SELECT " + ONGOING)
                .bind("migration", migration)
                .mapTo(Boolean.class)
                .one()) {
            throw new MigrationEndedException(migration);
        }
    }

    /** A migration of that id is started: the one before, forgotten since, has {@linkplain #end ended}, not this one. */
    static void begin(Handle handle, String migration) {
        handle.createUpdate("DELETE FROM server_record WHERE migration = :migration AND NOT " + BUT_THE_END)
                .bind("migration", migration)
                .execute();
    }

    @Override
    public Optional<String> get(String migration, String endpoint, String name) {
        return jdbi.withHandle(handle -> get(handle, migration, endpoint, name));
    }

    @Override
    public Optional<String> recent(String migration, String endpoint, String name, Duration age) {
        return jdbi.withHandle(handle -> handle.createQuery("""
                                SELECT value FROM server_record WHERE migration = :migration AND endpoint = :endpoint AND name = :name
                                    AND updated_at > clock_timestamp() - make_interval(secs => :seconds)""")
                        .bind("migration", migration)
                        .bind("endpoint", endpoint)
                        .bind("name", name)
                        .bind("seconds", age.toMillis() / 1_000.0)
                        .map((row, _) -> row.getBytes("value"))
                        .findOne())
                .map(encrypted -> cipher.open(Sealed.serverRecord(migration, endpoint, name), encrypted));
    }

    /** As {@link #get(String, String, String)}, in the caller's transaction. */
    public Optional<String> get(Handle handle, String migration, String endpoint, String name) {
        return handle.createQuery(
                        "SELECT value FROM server_record WHERE migration = :migration AND endpoint = :endpoint AND name = :name")
                .bind("migration", migration)
                .bind("endpoint", endpoint)
                .bind("name", name)
                .map((row, _) -> row.getBytes("value"))
                .findOne()
                .map(encrypted -> cipher.open(Sealed.serverRecord(migration, endpoint, name), encrypted));
    }

    /** As {@link #storedLogin(String, String, String)}, in the caller's transaction. */
    public Optional<Backend.Login> storedLogin(Handle handle, String migration, String endpoint, String name) {
        return get(handle, migration, endpoint, name)
                .map(Json::tree)
                .map(login -> new Backend.Login(
                        login.path("user").asText(),
                        new Secret(login.path("password").asText())));
    }

    /** Eden's own login on an endpoint, where the migration that has claimed it has made one; never makes one. */
    public Optional<Backend.Login> controlLogin(String endpoint) {
        return jdbi.inTransaction(
                handle -> handle.createQuery("SELECT migration FROM migration_endpoint WHERE endpoint = :endpoint")
                        .bind("endpoint", endpoint)
                        .mapTo(String.class)
                        .findOne()
                        .flatMap(migration -> storedLogin(handle, migration, endpoint, EdenRoles.CONTROL_LOGIN)));
    }

    @Override
    public void remove(String migration, String endpoint, String name) {
        jdbi.useHandle(handle -> handle.createUpdate(
                        "DELETE FROM server_record WHERE migration = :migration AND endpoint = :endpoint AND name = :name")
                .bind("migration", migration)
                .bind("endpoint", endpoint)
                .bind("name", name)
                .execute());
    }

    @Override
    public void removeAll(String migration) {
        jdbi.useHandle(handle -> handle.createUpdate(
                        "DELETE FROM server_record WHERE migration = :migration AND " + BUT_THE_END)
                .bind("migration", migration)
                .execute());
    }
}
