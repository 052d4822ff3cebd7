package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.util.List;
import java.util.Optional;

/** Taking links apart, for a new load and for the end; each step is idempotent and needs one server only. */
public final class Links {
    /** In {@link dev.eden.activities.store.ServerRecords}, of the publisher: which slots are of table copies that the other server makes by itself. */
    private static final String COPIES = "slots:copies";

    /** No connection is tried by it, and none waited for. */
    private static final String NOWHERE = "host=/nowhere dbname=none";

    private Links() {}

    /** What the publisher's slots of unfinished table copies are called: only the subscriber can say, and it may be gone when they are to go. */
    static void note(Pair pair, Role publisher, PostgresSession subscriber) {
        copies(pair, subscriber)
                .ifPresent(copies -> pair.records()
                        .put(pair.migration(), pair.endpoint(publisher).id(), COPIES, copies));
    }

    /** As {@link #note}, by the cleanup. */
    public static void noteAtEnd(Pair pair, Role publisher, PostgresSession subscriber) {
        copies(pair, subscriber)
                .ifPresent(copies -> pair.records()
                        .putAtEnd(pair.migration(), pair.endpoint(publisher).id(), COPIES, copies));
    }

    private static Optional<String> copies(Pair pair, PostgresSession subscriber) {
        return subscriber.text("""
                SELECT 'pg_' || oid || '_sync_%_' || (SELECT system_identifier FROM pg_control_system()) FROM pg_subscription
                WHERE subname = ? AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())""", pair.names().main()).map(copies -> copies.replace("_", "\\_"));
    }

    /** All that are there for the other server, the one of the data last. */
    static List<String> slots(Pair pair, Role side, PostgresSession publisher) {
        return publisher.texts(
                "SELECT slot_name FROM pg_replication_slots WHERE slot_name IN (?, ?) OR slot_name LIKE ? ORDER BY slot_name = ?",
                pair.names().main(),
                pair.names().probe(),
                copies(pair, side),
                pair.names().main());
    }

    /** There, and with its log. */
    static boolean usable(PostgresSession publisher, String slot) {
        return publisher.is(
                "SELECT wal_status IS DISTINCT FROM 'lost' FROM pg_replication_slots WHERE slot_name = ?", slot);
    }

    /** Its workers end with it; its slots on the publisher stay. All or nothing: one without a slot could not be enabled any more. */
    public static void dropSubscription(PostgresSession subscriber, String name) {
        if (Link.exists(subscriber, name)) {
            subscriber.transaction(() -> {
                subscriber.execute("ALTER SUBSCRIPTION " + Sql.name(name) + " DISABLE");
                subscriber.execute("ALTER SUBSCRIPTION " + Sql.name(name) + " SET (slot_name = NONE)");
                // While tables are being copied the server would look for their slots on the publisher.
                subscriber.execute("ALTER SUBSCRIPTION " + Sql.name(name) + " CONNECTION " + Sql.text(NOWHERE));
                subscriber.execute("DROP SUBSCRIPTION " + Sql.name(name));
            });
        }
    }

    /** The slots of table copies that were cut off, as {@link #note} has them. */
    static void dropCopies(Pair pair, Role side, PostgresSession publisher) {
        for (String slot : publisher.texts(
                "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE ?", copies(pair, side))) {
            dropSlot(publisher, slot);
        }
    }

    /** Everything that the publisher keeps for the other server. */
    public static void dropSlots(Pair pair, Role side, PostgresSession publisher) {
        slots(pair, side, publisher).forEach(slot -> dropSlot(publisher, slot));
    }

    /**
     * Ends whoever streams from it. A worker of the other server's that has run for longer than its {@code wal_retrieve_retry_interval} is back within milliseconds,
     * so nobody waits here for its end ({@code pg_terminate_backend} would look every 100 ms): both are tried until the slot is gone, or for two seconds.
     */
    static void dropSlot(PostgresSession publisher, String name) {
        publisher.execute("""
                DO $$ DECLARE tries int := 0; BEGIN LOOP
                    PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %1$s AND active_pid IS NOT NULL;
                    BEGIN
                        PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %1$s;
                        EXIT;
                    EXCEPTION WHEN object_in_use THEN
                        tries := tries + 1;
                        IF tries = 1000 THEN RAISE; END IF;
                        PERFORM pg_sleep(0.002);
                    END;
                END LOOP; END $$""".formatted(Sql.text(name)));
    }

    public static void dropPublication(PostgresSession publisher, String name) {
        publisher.execute("DROP PUBLICATION IF EXISTS " + Sql.name(name));
    }

    private static String copies(Pair pair, Role side) {
        return pair.records()
                .get(pair.migration(), pair.endpoint(side).id(), COPIES)
                .orElse("");
    }
}
