package dev.eden.api.store;

import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/**
 * The {@code Idempotency-Key} of the request that a thread works for. What the request makes or deletes is noted beside the key in the same
 * transaction: its answer is kept in a later one, and a server may die in between.
 */
public record RequestClaim(UUID token, String key) {
    private static final ThreadLocal<@Nullable RequestClaim> HELD = new ThreadLocal<>();

    /** This thread works for it from now on; null: for none. */
    public static void hold(@Nullable RequestClaim claim) {
        if (claim == null) {
            HELD.remove();
        } else {
            HELD.set(claim);
        }
    }

    /** This transaction has done what the request asks for. */
    static void done(Handle handle) {
        note(handle, true);
    }

    /** What the request had done is taken back: under its key it may be done again. */
    static void undone(Handle handle) {
        note(handle, false);
    }

    private static void note(Handle handle, boolean effective) {
        RequestClaim claim = HELD.get();
        if (claim != null) {
            handle.createUpdate("UPDATE idempotency SET effective = :effective WHERE token = :token AND key = :key")
                    .bind("effective", effective)
                    .bind("token", claim.token())
                    .bind("key", claim.key())
                    .execute();
        }
    }

    /** The same request under the same key had done it, and nobody was there to keep the answer. */
    static boolean wasDone(Handle handle) {
        RequestClaim claim = HELD.get();
        return claim != null
                && handle.createQuery("SELECT effective FROM idempotency WHERE token = :token AND key = :key")
                        .bind("token", claim.token())
                        .bind("key", claim.key())
                        .mapTo(Boolean.class)
                        .findOne()
                        .orElse(false);
    }
}
