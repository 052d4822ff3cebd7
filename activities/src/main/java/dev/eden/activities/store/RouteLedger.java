package dev.eden.activities.store;

import dev.eden.proxy.CanaryPolicy;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.TrafficReport;
import dev.eden.proxy.WireVersion;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The route rows of a migration's interlays, which move together: every change is one transaction over all of them and a
 * compare-and-set on {@code (epoch, state, attempt)}. The only way authority moves.
 */
public interface RouteLedger {

    /**
     * @param turn where the log of the next direction begins; set by {@link #commit}
     */
    record Routes(
            String migration,
            long epoch,
            RouteState state,
            long attempt,
            String active,
            @Nullable String standby,
            List<String> interlays,
            @Nullable Position turn) {}

    record Position(String replid, long offset) {}

    /** @param wire the {@link WireVersion} it speaks */
    record JoinedProxy(String name, String interlay, boolean alive, int wire) {

        /** Why no server of this version can lead an attempt with it. */
        public Optional<String> unspoken() {
            return WireVersion.taken(wire)
                    ? Optional.empty()
                    : Optional.of("proxy " + interlay + ":" + name + " speaks wire version " + wire + ", this server "
                            + WireVersion.OLDEST + " to " + WireVersion.NEWEST + ": "
                            + (wire < WireVersion.OLDEST
                                    ? "replace it by one of this version"
                                    : "upgrade the server, or start the proxy with -D" + WireVersion.PROPERTY + "="
                                            + WireVersion.NEWEST));
        }
    }

    record Acknowledgement(String proxy, String interlay, String step, String detail, long atMicros) {}

    Optional<Routes> read(String migration);

    /** The proxies of a migration's interlays that have joined and have not signed off. */
    List<JoinedProxy> joined(String migration);

    /** Puts the target into the routes as standby; STABLE only; idempotent. */
    void attach(String migration, String source, String target, List<String> interlays);

    /** Takes the standby out again after cleanup; STABLE only; idempotent. */
    void detach(String migration);

    /** The owner of writes behind these interlays where they are in no migration; empty where one is, or where they disagree. */
    Optional<String> resting(List<String> interlays);

    /** Share, consistency and ack mode; keeps epoch and state. */
    void canary(String migration, CanaryPolicy policy, boolean ackBoth);

    /**
     * STABLE(epoch) → ARMED(new attempt). Empty: lost, or {@linkplain #closeAttempt closed}.
     *
     * @param number as the workflow's {@code run} counts, 0 for a rehearsal
     * @param run null: nobody can close it
     */
    Optional<Armed> arm(
            String migration, long epoch, String coordinator, String direction, int number, @Nullable String run);

    /** While the routes are STABLE(epoch): this attempt never arms from now on, though its coordinator may be alive. False: they are not; idempotent. */
    boolean closeAttempt(String migration, long epoch, int number, String run);

    record Armed(long attempt, List<JoinedProxy> proxies) {}

    /** Goes through a change of the rows and takes it back: nobody sees it. Keeps what a first time costs out of the pause. */
    void rehearse(String migration);

    boolean prepare(String migration, long epoch, long attempt, Duration deadline);

    /** PREPARED(attempt) → COMMITTED(epoch+1) with the sides swapped; the one commit point. */
    boolean commit(String migration, long epoch, long attempt, Position turn);

    /** COMMITTED(epoch) → STABLE(epoch), after the new active side is unfenced. */
    boolean stable(String migration, long epoch, long attempt);

    /** ARMED or PREPARED → ABORTING. */
    boolean beginAbort(String migration, long epoch, long attempt, String reason);

    /** ABORTING → STABLE(epoch), after everything was restored. */
    boolean endAbort(String migration, long epoch, long attempt);

    /** Stored before a server is changed: the control sessions to kill and what to restore (encrypted). */
    void saveUndo(long attempt, String undoJson);

    Optional<String> undo(long attempt);

    List<Acknowledgement> acknowledgements(long attempt);

    /** A mark for {@link #awaitChange}: take it before looking. */
    long changeMark();

    /** Blocks until something changed after the mark (a route, an acknowledgement), or the time is up. Spurious returns are allowed. */
    void awaitChange(long mark, Duration atMost);

    /** What an attempt's own coordinator tells. It takes the place of what was told for it, unless that had another outcome: by then others may have acted on it. */
    void saveReport(long attempt, String outcome, String reportJson);

    /** What somebody else tells of an attempt; kept where nobody has told of it yet. */
    void saveReportOfLost(long attempt, String outcome, String reportJson);

    /** Attempts that are over and of which nobody has told, whose route has rested for this long; oldest first. */
    List<Untold> untold(Duration rested);

    /**
     * @param reason why it was taken back, as far as it was noted
     * @param current whether its acknowledgements and times are still those of the route
     * @param heldMicros since when clients waited, by the store's clock; 0: they did not, or it is not known
     */
    record Untold(
            long attempt,
            int number,
            String migration,
            String direction,
            long epoch,
            boolean committed,
            @Nullable String reason,
            boolean current,
            long heldMicros) {}

    /** Routes that are not STABLE, oldest change first, for whoever settles what a dead coordinator left. */
    List<Unsettled> unsettled();

    /** {@code ageMillis}: since the last change of state, by the store's clock. */
    record Unsettled(Routes routes, long ageMillis, long deadlineMillis) {}

    /** Routes of running migrations that are STABLE, for the check of fences. */
    List<Routes> attached();

    /**
     * What one process reports of one interlay; its totals begin with the process.
     *
     * @param incarnation another one after each start
     */
    record Reported(String interlay, String proxy, String incarnation, TrafficReport report) {}

    /** Live counters of the proxies in front of a migration's interlays; only proxies seen within the last 3 s. */
    List<Reported> traffic(String migration);
}
