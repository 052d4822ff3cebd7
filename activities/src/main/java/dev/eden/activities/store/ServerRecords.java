package dev.eden.activities.store;

import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.Optional;

/**
 * What Eden made or changed on a server for a migration, kept encrypted in Eden's store <em>before</em> it is done: its own users'
 * passwords and whatever an undo needs (users' rules, settings). Names are chosen by the caller, e.g. {@code login:control},
 * {@code saved:acl}. All writes are durable when the call returns.
 */
public interface ServerRecords {

    /** Returns the login stored under the name, making one with a random 32-byte password first where there is none. */
    Backend.Login login(String migration, String endpoint, String name, String user);

    /** The login stored under the name; never makes one. */
    Optional<Backend.Login> storedLogin(String migration, String endpoint, String name);

    /** Stores {@code value} unless the name has one already; returns what is stored now. */
    String putIfAbsent(String migration, String endpoint, String name, String value);

    void put(String migration, String endpoint, String name, String value);

    Optional<String> get(String migration, String endpoint, String name);

    /** As {@link #get}, where it was last put no longer ago than {@code age} by the store's clock. */
    Optional<String> recent(String migration, String endpoint, String name, Duration age);

    void remove(String migration, String endpoint, String name);

    /** Forgets everything of the migration; called when cleanup has ended. */
    void removeAll(String migration);
}
