package dev.eden.api.route;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.redis.acl.OpenReads;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The servers that routes point to, kept in memory: a proxy reads its route inside the pause of a cutover, and each statement it saves there is
 * time that clients do not wait. What is older than a second is looked up again beside the read that noticed; an endpoint's new password is in
 * force two reads later. What is older than ten seconds is not used. Thread-safe.
 */
final class KnownServers {
    private static final Logger LOGGER = LoggerFactory.getLogger(KnownServers.class);
    private static final long FRESH = Duration.ofSeconds(1).toNanos();
    private static final long USABLE = Duration.ofSeconds(10).toNanos();

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final Map<Key, Known> known = new ConcurrentHashMap<>();

    KnownServers(EndpointDirectory endpoints, ServerRecords records) {
        this.endpoints = endpoints;
        this.records = records;
    }

    private record Key(String endpoint, @Nullable String migration) {}

    private record Known(Backend backend, boolean postgres, long at, AtomicBoolean asking) {}

    /** @param migration whose login of Eden's the backend carries; null outside one */
    Backend backend(String endpoint, @Nullable String migration) {
        Key key = new Key(endpoint, migration);
        Known found = known.get(key);
        long age = found == null ? Long.MAX_VALUE : System.nanoTime() - found.at();
        if (found == null || age > USABLE) {
            return ask(key);
        }
        if (age > FRESH && found.asking().compareAndSet(false, true)) {
            Thread.ofVirtual().name("eden-endpoint").start(() -> {
                try {
                    ask(key);
                } catch (RuntimeException e) {
                    found.asking().set(false);
                    LOGGER.atDebug().addKeyValue("endpoint", endpoint).log("not looked up again: {}", e.getMessage());
                }
            });
        }
        return found.backend();
    }

    /** By what a proxy finds the position that {@code migration} has applied on its standby: see {@link dev.eden.proxy.Route}. */
    String applied(String endpoint, String migration) {
        backend(endpoint, migration);
        Known found = known.get(new Key(endpoint, migration));
        return found != null && found.postgres()
                ? EdenObjects.of(migration).main()
                : ReplicationLedger.appliedKey(migration);
    }

    private Backend ask(Key key) {
        Endpoint e = endpoints.endpoint(key.endpoint());
        String migration = key.migration();
        // A login is made once for a migration and never changes.
        Known before = known.get(key);
        boolean postgres = e.engine().equals("postgres");
        Backend.Login eden;
        if (migration == null) {
            // Outside a migration the proxy reads the verifiers of PostgreSQL's users with the endpoint's own login.
            eden = postgres ? e.login() : null;
        } else if (before != null) {
            eden = before.backend().edenLogin();
        } else {
            String user = postgres ? EdenObjects.of(migration).proxy() : "eden-proxy-" + migration;
            // Where a cleanup has begun, a row that was read before is still followed for a moment.
            eden = records.storedLogin(migration, key.endpoint(), "login:proxy")
                    .orElseGet(() -> records.login(migration, key.endpoint(), "login:proxy", user));
        }
        Backend backend = new Backend(
                e.id(),
                e.host(),
                e.port(),
                e.tls(),
                e.loginForClients() ? e.login() : null,
                eden,
                e.database(),
                migration != null && !postgres && OpenReads.seen(migration, e.id(), records));
        known.values().removeIf(k -> System.nanoTime() - k.at() > USABLE);
        known.put(key, new Known(backend, postgres, System.nanoTime(), new AtomicBoolean()));
        return backend;
    }
}
