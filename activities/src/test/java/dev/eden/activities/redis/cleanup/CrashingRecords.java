package dev.eden.activities.redis.cleanup;

import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.Optional;

/** Dies at the n-th use, half of the times before and half after the store has done it. */
final class CrashingRecords implements ServerRecords {
    private final ServerRecords records;
    private final int at;
    private int uses;

    CrashingRecords(ServerRecords records, int at) {
        this.records = records;
        this.at = at;
    }

    static final class Crash extends RuntimeException {}

    @Override
    public Backend.Login login(String migration, String endpoint, String name, String user) {
        before();
        Backend.Login login = records.login(migration, endpoint, name, user);
        after();
        return login;
    }

    @Override
    public Optional<Backend.Login> storedLogin(String migration, String endpoint, String name) {
        if (++uses == at) {
            throw new Crash();
        }
        return records.storedLogin(migration, endpoint, name);
    }

    @Override
    public String putIfAbsent(String migration, String endpoint, String name, String value) {
        before();
        String stored = records.putIfAbsent(migration, endpoint, name, value);
        after();
        return stored;
    }

    @Override
    public void put(String migration, String endpoint, String name, String value) {
        before();
        records.put(migration, endpoint, name, value);
        after();
    }

    @Override
    public void putAtEnd(String migration, String endpoint, String name, String value) {
        before();
        records.putAtEnd(migration, endpoint, name, value);
        after();
    }

    @Override
    public void end(String migration) {
        before();
        records.end(migration);
        after();
    }

    @Override
    public void requireOngoing(String migration) {
        before();
        records.requireOngoing(migration);
        after();
    }

    @Override
    public Optional<String> get(String migration, String endpoint, String name) {
        if (++uses == at) {
            throw new Crash();
        }
        return records.get(migration, endpoint, name);
    }

    @Override
    public Optional<String> recent(String migration, String endpoint, String name, Duration age) {
        if (++uses == at) {
            throw new Crash();
        }
        return records.recent(migration, endpoint, name, age);
    }

    @Override
    public void remove(String migration, String endpoint, String name) {
        before();
        records.remove(migration, endpoint, name);
        after();
    }

    @Override
    public void removeAll(String migration) {
        before();
        records.removeAll(migration);
        after();
    }

    private void before() {
        if (++uses == at && at % 2 == 0) {
            throw new Crash();
        }
    }

    private void after() {
        if (uses == at) {
            throw new Crash();
        }
    }
}
