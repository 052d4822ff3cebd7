package dev.eden.proxy;

/**
 * The proxy's port to Eden's store. The composition root binds it straight to PostgreSQL, so that a proxy needs no other
 * process of Eden's. Every call may block on the network and throws {@link RouteStoreException} when the store cannot be
 * read within its budget; none is ever made on an event loop.
 */
public interface RouteStore {

    /**
     * Joins (or joins again) under a name that survives restarts; serialised against arming: either arming sees this proxy or the proxy sees ARMED.
     * Throws {@link WireRefusedException} where the servers do not speak its {@link WireVersion}.
     */
    Route join(ProxyIdentity proxy, String interlay);

    /**
     * Reads the row; this is also the lease: a proxy that armed has heard the store at the moment the call <em>began</em>. Throws
     * {@link NotJoinedException} where this process is not among the interlay's proxies (any more).
     */
    Route read(ProxyIdentity proxy, String interlay);

    /** The users whose passwords the interlay has been given; {@link InterlayUsers#NONE} where the store is of a version that knows of none. */
    InterlayUsers users(String interlay);

    /** Tells the coordinator that {@code step} of {@code attempt} is true here. */
    void acknowledge(ProxyIdentity proxy, String interlay, long attempt, Step step, String detail);

    /** Compare-and-set PREPARED(attempt) → ABORTING; true if this call won. */
    boolean abort(String interlay, long epoch, long attempt, String reason);

    /** Live counters for {@code GET /interlays/{id}/traffic} and the canary's gates, and whether requests go to a server now; also the proxy's heartbeat, and where it listens. */
    void report(ProxyIdentity proxy, String interlay, TrafficReport report, boolean serving);

    /** Puts on record that this proxy was opened by hand while the store was away, and what came of it; the same again does no harm. */
    void forced(ProxyIdentity proxy, String interlay, ForcedOpening opening, String outcome);

    /** Signs off: this proxy forwards nothing any more. */
    void leave(ProxyIdentity proxy, String interlay);

    /** Calls {@code onChange} (any thread, no argument: read the row) soon after a row of this interlay changed. Polling must back it up. */
    Subscription watch(String interlay, Runnable onChange);

    /**
     * Asks every proxy of the interlay to cancel what the client with {@code key} has under way; returns when one has, or when none did within some
     * seconds, after which none will.
     */
    void cancel(String interlay, CancelKey key);

    /** Calls {@code answer} (on threads of its own) for keys that {@link #cancel} was called with, anywhere. */
    Subscription cancels(String interlay, CancelAnswer answer);

    /** Answers true when it has cancelled; first it takes the claim. */
    interface CancelAnswer {
        boolean cancel(CancelKey key, Claim claim);
    }

    /** A request to cancel that somebody may still wait for. */
    interface Claim {
        /** False: the asker has gone, or another was first; then nothing may be cancelled any more. */
        boolean take();
    }

    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /** What a proxy confirms to the coordinator. */
    enum Step {
        /** Of no weight: knows of the attempt and will not be armed as long as the standby does not answer it; the detail's {@code why} tells why. */
        UNREACHED,
        /** Knows of the attempt; from now on it stops serving when its lease (2 s) cannot be renewed. */
        ARMED,
        /** Holds, nothing in flight, pinned sessions converted. */
        DRAINED,
        /** The row is COMMITTED, and what its clients hear without asking is heard on the new side; only from proxies that said they have such clients. */
        CARRIED,
        /** Serves the epoch after the attempt. */
        OPENED
    }
}
