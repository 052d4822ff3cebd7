package dev.eden.activities.redis.preparation;

import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** The store of a process that something befalls where it is about to make or put what has a name; {@code before} is told the name. */
public record InterceptedRecords(ServerRecords records, Consumer<String> before) implements ServerRecords {
    @Override
    public Backend.Login login(String migration, String endpoint, String name, String user) {
        before.accept(name);
        return records.login(migration, endpoint, name, user);
    }

    @Override
    public Optional<Backend.Login> storedLogin(String migration, String endpoint, String name) {
        return records.storedLogin(migration, endpoint, name);
    }

    @Override
    public String putIfAbsent(String migration, String endpoint, String name, String value) {
        before.accept(name);
        return records.putIfAbsent(migration, endpoint, name, value);
    }

    @Override
    public void put(String migration, String endpoint, String name, String value) {
        before.accept(name);
        records.put(migration, endpoint, name, value);
    }

    @Override
    public Optional<String> get(String migration, String endpoint, String name) {
        return records.get(migration, endpoint, name);
    }

    @Override
    public Optional<String> recent(String migration, String endpoint, String name, Duration age) {
        return records.recent(migration, endpoint, name, age);
    }

    @Override
    public void remove(String migration, String endpoint, String name) {
        records.remove(migration, endpoint, name);
    }

    @Override
    public void end(String migration) {
        records.end(migration);
    }

    @Override
    public void requireOngoing(String migration) {
        records.requireOngoing(migration);
    }

    @Override
    public void putAtEnd(String migration, String endpoint, String name, String value) {
        records.putAtEnd(migration, endpoint, name, value);
    }

    @Override
    public void removeAll(String migration) {
        records.removeAll(migration);
    }
}
