package dev.eden.activities.store;

import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.Optional;

/**
 * What Eden made or changed on a server for a migration, kept encrypted in Eden's store <em>before</em> it is done: its own users'
 * passwords and whatever an undo needs (users' rules, settings). Names are chosen by the caller, e.g. {@code login:control},
 * {@code saved:acl}. All writes are durable when the call returns.
 *
 * <p>Once a cleanup has {@linkplain #end begun}, {@link #login}, {@link #putIfAbsent} and {@link #put} throw {@link MigrationEndedException}: who comes
 * late, because it was cut off or stopped while others cleaned up, makes nothing anew. A migration of the same id that is started later begins without.
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

    /**
     * The migration's cleanup begins: idempotent, and not undone by {@link #removeAll}. A session on a server that is opened after this returns and then
     * asks {@link #requireOngoing} is refused; those that were open before are the cleanup's to end.
     */
    void end(String migration);

    /** @throws MigrationEndedException after {@link #end} */
    void requireOngoing(String migration);

    /** As {@link #put}, for the cleanup's own notes. */
    void putAtEnd(String migration, String endpoint, String name, String value);

    /** Forgets everything of the migration but that it has {@linkplain #end ended}; called when cleanup has ended. */
    void removeAll(String migration);
}
