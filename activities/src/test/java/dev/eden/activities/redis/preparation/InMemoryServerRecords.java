package dev.eden.activities.redis.preparation;

import dev.eden.activities.store.MigrationEndedException;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/** Durable as long as the test: what the store promises, in a map. */
public final class InMemoryServerRecords implements ServerRecords {
    private final Map<String, String> values = new TreeMap<>();
    private final Set<String> ended = new HashSet<>();

    @Override
    public synchronized Backend.Login login(String migration, String endpoint, String name, String user) {
        return login(putIfAbsent(migration, endpoint, name, user + " " + UUID.randomUUID()));
    }

    @Override
    public synchronized Optional<Backend.Login> storedLogin(String migration, String endpoint, String name) {
        return get(migration, endpoint, name).map(InMemoryServerRecords::login);
    }

    private static Backend.Login login(String stored) {
        int space = stored.indexOf(' ');
        return new Backend.Login(stored.substring(0, space), new Secret(stored.substring(space + 1)));
    }

    @Override
    public synchronized String putIfAbsent(String migration, String endpoint, String name, String value) {
        requireOngoing(migration);
        return values.computeIfAbsent(key(migration, endpoint, name), _ -> value);
    }

    @Override
    public synchronized void put(String migration, String endpoint, String name, String value) {
        requireOngoing(migration);
        putAtEnd(migration, endpoint, name, value);
    }

    @Override
    public synchronized void putAtEnd(String migration, String endpoint, String name, String value) {
        values.put(key(migration, endpoint, name), value);
    }

    @Override
    public synchronized void end(String migration) {
        ended.add(migration);
    }

    /** Another migration of the same id is started. */
    public synchronized void begin(String migration) {
        ended.remove(migration);
    }

    @Override
    public synchronized void requireOngoing(String migration) {
        if (ended.contains(migration)) {
            throw new MigrationEndedException(migration);
        }
    }

    @Override
    public synchronized Optional<String> get(String migration, String endpoint, String name) {
        return Optional.ofNullable(values.get(key(migration, endpoint, name)));
    }

    @Override
    public synchronized Optional<String> recent(String migration, String endpoint, String name, Duration age) {
        return get(migration, endpoint, name);
    }

    @Override
    public synchronized void remove(String migration, String endpoint, String name) {
        values.remove(key(migration, endpoint, name));
    }

    @Override
    public synchronized void removeAll(String migration) {
        values.keySet().removeIf(key -> key.startsWith(migration + "/"));
    }

    public synchronized boolean isEmpty() {
        return values.isEmpty();
    }

    private static String key(String migration, String endpoint, String name) {
        return migration + "/" + endpoint + "/" + name;
    }
}
