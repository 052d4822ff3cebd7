package dev.eden.api.store;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.activities.postgres.EdenRoles;
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

    private final Jdbi jdbi;
    private final SecretCipher cipher;
    private final SecureRandom random = new SecureRandom();

    public EncryptedServerRecords(Jdbi jdbi, SecretCipher cipher) {
        this.jdbi = jdbi;
        this.cipher = cipher;
    }

    @Override
    public Backend.Login login(String migration, String endpoint, String name, String user) {
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
                            VALUES (:migration, :endpoint, :name, :value) ON CONFLICT DO NOTHING""")
                    .bind("migration", migration)
                    .bind("endpoint", endpoint)
                    .bind("name", name)
                    .bind("value", cipher.seal(Sealed.serverRecord(migration, endpoint, name), value))
                    .execute();
            return get(handle, migration, endpoint, name).orElseThrow();
        });
    }

    @Override
    public void put(String migration, String endpoint, String name, String value) {
        jdbi.useHandle(handle -> handle.createUpdate("""
                        INSERT INTO server_record (migration, endpoint, name, value)
                        VALUES (:migration, :endpoint, :name, :value)
                        ON CONFLICT (migration, endpoint, name) DO UPDATE SET value = EXCLUDED.value, updated_at = now()""")
                .bind("migration", migration)
                .bind("endpoint", endpoint)
                .bind("name", name)
                .bind("value", cipher.seal(Sealed.serverRecord(migration, endpoint, name), value))
                .execute());
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
        jdbi.useHandle(handle -> handle.createUpdate("DELETE FROM server_record WHERE migration = :migration")
                .bind("migration", migration)
                .execute());
    }
}
