package dev.eden.proxy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What the proxy's part of the cutover protocol needs from an engine: the event loops of one proxy, seen from outside. Orders come from
 * one thread, the follower's; they may block, and every loop has obeyed when they return.
 */
public interface DataPlane extends AutoCloseable {

    /** Listens; answers the port. A port that is taken is an {@link IOException} that says so. */
    int bind() throws IOException;

    /** Serves under {@code route}. */
    void install(Route route);

    /** The row was read again just now: what is in it beside its version may have changed, and what the loops know of that is no older. */
    default void looked(Route row) {}

    /** Serves until {@code until} ({@link System#nanoTime}) at most, unless renewed. */
    void lease(long until);

    /** Lets nothing new out; the future completes when nothing is in flight on any loop. Again while held: the same answer. */
    CompletableFuture<HoldReport> hold();

    /** Brings to the standby what clients' sessions need there (scripts, logged-in connections); completes, never exceptionally, when that is done as far as it goes. */
    CompletableFuture<Void> prepareForFlip();

    /**
     * The row is ARMED: does this proxy get through to the server that may own the writes next? Completes within {@code limit}, never exceptionally, with
     * why it does not; empty: it does, or there is no telling before the flip.
     */
    default CompletableFuture<Optional<String>> reach(Route armed, Duration limit) {
        return CompletableFuture.completedFuture(Optional.empty());
    }

    /**
     * The row is ARMED: connections of clients' users to the standby, if it lets the proxies in for that, so that clients need not wait for logins
     * after the flip. Completes with the server's process ids of all that are kept there.
     */
    default CompletableFuture<List<Integer>> logIn(Route armed) {
        return CompletableFuture.completedFuture(List.of());
    }

    /**
     * The row is COMMITTED: nothing opens yet, but sessions leave the old side, and what clients hear without asking (LISTEN, SUBSCRIBE) is asked for on
     * the new one. Completes when nothing that anybody says there from then on escapes them.
     */
    default CompletableFuture<Void> carryOver(Route committed) {
        return CompletableFuture.completedFuture(null);
    }

    /** Sessions that hear without asking may have missed something: they end before anything else is sent to them, with an error that says so where the protocol has one. */
    default void endListeners() {}

    /** True when a loop refuses requests because its lease ran out. */
    boolean leaseLost();

    /** What the loops ask before they let a request out; its pulse comes from outside. */
    Wakefulness wakefulness();

    /** Sums of all loops; latencies since the snapshot before. */
    LoopSnapshot snapshot();

    /** Clients that are connected now, of all loops. */
    int clients();

    /** Stops listening; connections stay. */
    void stopAccepting();

    @Override
    void close();

    /**
     * A proxy at rest.
     *
     * @param drainMicros from the hold to the last reply, of the slowest loop
     * @param held requests that have waited since the start
     * @param reissued blocking requests taken back since the start
     * @param backends the server's process ids of the connections this proxy keeps on the active side; empty where the engine has none. All
     *     others there are strangers
     * @param listeners sessions that must be carried over before anybody opens, see {@link #carryOver}
     * @param endings sessions that cannot be carried and end with the flip, by reason
     */
    record HoldReport(
            long drainMicros,
            long held,
            long reissued,
            List<Integer> backends,
            int listeners,
            Map<String, Long> endings) {
        public HoldReport {
            backends = List.copyOf(backends);
            endings = Map.copyOf(endings);
        }

        public HoldReport(long drainMicros, long held, long reissued) {
            this(drainMicros, held, reissued, List.of(), 0, Map.of());
        }
    }
}
