package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.util.Optional;

/** Taking links apart, for a new load and for the end; each step is idempotent. */
public final class Links {
    private Links() {}

    /** Its workers end first; the slots of unfinished table copies go, its own slot on the publisher stays. */
    public static void dropSubscription(PostgresSession subscriber, PostgresSession publisher, String name) {
        Optional<String> copies = subscriber.text("""
                SELECT 'pg_' || oid || '_sync_%_' || (SELECT system_identifier FROM pg_control_system()) FROM pg_subscription
                WHERE subname = ? AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())""", name);
        if (copies.isEmpty()) {
            return;
        }
        subscriber.execute("ALTER SUBSCRIPTION " + Sql.name(name) + " DISABLE");
        subscriber.execute("ALTER SUBSCRIPTION " + Sql.name(name) + " SET (slot_name = NONE)");
        subscriber.execute("DROP SUBSCRIPTION " + Sql.name(name));
        for (String slot : publisher.texts(
                "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE ?",
                copies.get().replace("_", "\\_"))) {
            dropSlot(publisher, slot);
        }
    }

    /** Ends whoever streams from it. */
    public static void dropSlot(PostgresSession publisher, String name) {
        publisher.query(
                "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = ? AND active_pid IS NOT NULL",
                row -> true,
                name);
        publisher.query(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ?",
                row -> true,
                name);
    }

    public static void dropPublication(PostgresSession publisher, String name) {
        publisher.execute("DROP PUBLICATION IF EXISTS " + Sql.name(name));
    }
}
