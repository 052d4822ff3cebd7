package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.OtherSessions;
import dev.eden.activities.postgres.PostgresSession;
import java.time.Duration;

/**
 * One generation at a time loads. Two that overlap, because the worker of one was given up for dead and was not, would drop the slot whose snapshot the
 * other copies under, and what each of them writes down as complete would be the other's to go on with: rows twice, or not at all. So each server knows the
 * latest one that has come to load, and whoever comes ends the sessions of those before it. One that opens a session too late is told so.
 *
 * <p>A ledger that was restored from a backup counts again from where it stood; each try counts on, and comes past what the servers know.
 */
public record LoadClaim(EdenObjects names, long generation) {
    private static final Duration OTHERS_END = Duration.ofSeconds(10);

    /**
     * Parts of those sessions that make, fill or take apart what a load needs. A try of the preparation that was given up for dead could fence the target
     * when that owns writes.
     */
    private static final String[] PARTS = {"prepare", "bring-up", "load", "snapshot", "schema", "reset"};

    /**
     * Returns when no earlier generation does anything for the load on this server, nor can begin to. Again by the same generation: nothing new.
     *
     * @throws IllegalStateException when a later one has been here
     */
    void take(PostgresSession session) {
        EdenSchema.addLoader(session, names);
        // Committed before others are looked for: who opens a session after the look finds it.
        session.update(
                "INSERT INTO " + names.loader() + " AS old (generation) VALUES (?)"
                        + " ON CONFLICT (id) DO UPDATE SET generation = excluded.generation WHERE old.generation < excluded.generation",
                generation);
        require(session);
        // The condition again: this process may be stalled just here, and a later generation at work.
        OtherSessions.end(
                session,
                OTHERS_END,
                "usename = ? AND application_name = ANY (?) AND (SELECT generation FROM " + names.loader() + ") = ?",
                names.control(),
                sessions(names),
                generation);
        require(session);
    }

    /** @throws IllegalStateException when a later generation has come to load */
    void require(PostgresSession session) {
        long latest = session.number("SELECT generation FROM " + names.loader());
        if (latest != generation) {
            throw new IllegalStateException(
                    "generation " + generation + " of the load is over: generation " + latest + " has been here");
        }
    }

    /**
     * For what goes on beside the load of others; where nobody has come to load yet, nobody is later.
     *
     * @throws IllegalStateException when a later generation has come to load
     */
    void requireNoneLater(PostgresSession session) {
        if (session.is("SELECT to_regclass(?) IS NOT NULL", names.loader())
                && session.is("SELECT true FROM " + names.loader() + " WHERE generation > ?", generation)) {
            throw new IllegalStateException("generation " + generation + " is over: a later one has come to load");
        }
    }

    /** By {@code application_name}, all that could make something anew that a later load or the cleanup takes apart. */
    public static String[] sessions(EdenObjects names) {
        String[] all = PARTS.clone();
        for (int i = 0; i < all.length; i++) {
            all[i] = names.session(all[i]);
        }
        return all;
    }
}
