package dev.eden.activities.postgres;

import dev.eden.activities.postgres.EdenObjects.Role;
import java.util.List;

/** Eden's schema in the database that moves: markers, probes and the epoch that replication may work under. */
public final class EdenSchema {
    private EdenSchema() {}

    /** Makes what is missing; idempotent. The session is the control role's. */
    public static void create(PostgresSession session, EdenObjects names) {
        session.transaction(() -> session.executeAll(List.of(
                "CREATE SCHEMA IF NOT EXISTS " + Sql.name(names.schema()),
                numbers(names.marker(Role.SOURCE)),
                numbers(names.marker(Role.TARGET)),
                numbers(names.probeTable(Role.SOURCE)),
                numbers(names.probeTable(Role.TARGET)),
                "CREATE TABLE IF NOT EXISTS " + names.loaded()
                        + " (name text PRIMARY KEY, rows bigint NOT NULL, bytes bigint NOT NULL DEFAULT 0)",
                loader(names),
                "CREATE TABLE IF NOT EXISTS " + names.answers()
                        + " (pid integer, began timestamptz, refusal text, PRIMARY KEY (pid, began))",
                "CREATE TABLE IF NOT EXISTS " + names.carried()
                        + " (pid integer, began timestamptz, relation oid, name text, columns text[], types text[], undo text NOT NULL,"
                        + " PRIMARY KEY (pid, began))",
                "CREATE TABLE IF NOT EXISTS " + names.state()
                        + " (id boolean PRIMARY KEY DEFAULT true CHECK (id), epoch bigint NOT NULL)",
                "INSERT INTO " + names.state() + " (epoch) VALUES (0) ON CONFLICT DO NOTHING")));
    }

    /** Makes what a migration that began under an earlier Eden lacks. */
    public static void addLoader(PostgresSession session, EdenObjects names) {
        if (!session.is("SELECT to_regclass(?) IS NOT NULL", names.loader())) {
            session.execute(loader(names));
        }
    }

    /** Writes a row of a marker or probe table, whatever is there. */
    public static void write(PostgresSession session, String table, int id, long number) {
        session.update(
                "INSERT INTO " + table
                        + " AS old (id, number) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET number = excluded.number",
                id,
                number);
    }

    /** The number in a row of a marker or probe table; 0 for none. */
    public static long read(PostgresSession session, String table, int id) {
        return session.number("SELECT number FROM " + table + " WHERE id = ?", id);
    }

    private static String loader(EdenObjects names) {
        return "CREATE TABLE IF NOT EXISTS " + names.loader()
                + " (id boolean PRIMARY KEY DEFAULT true CHECK (id), generation bigint NOT NULL)";
    }

    private static String numbers(String table) {
        return "CREATE TABLE IF NOT EXISTS " + table + " (id integer PRIMARY KEY, number bigint NOT NULL)";
    }
}
