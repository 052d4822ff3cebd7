package dev.eden.proxy;

import org.jspecify.annotations.Nullable;

/**
 * A route that an operator has opened while the store was away, and what becomes of it when the store is back.
 *
 * <pre>
 *   open by hand ── row: the same owner, STABLE ──────────── put on record; the row is followed again
 *        │  ├────── row: the same owner, PREPARED ────────── abort is tried; serves on
 *        │  └────── row: the same owner, any other state ─── serves on until STABLE
 *        └───────── row: the other owner ─────────────────── put on record; held until this process is started anew
 * </pre>
 *
 * Used by the follower's thread; {@link #detail()} by any.
 */
final class HandOpened {
    private final ForcedOpening opening;
    private volatile boolean contradicted;

    private HandOpened(ForcedOpening opening) {
        this.opening = opening;
    }

    static HandOpened by(ForcedOpening opening) {
        return new HandOpened(opening);
    }

    /** What is to be done after a look at the row. */
    enum Next {
        SERVE_ON,
        TRY_TO_ABORT,
        FOLLOW_THE_ROW,
        HOLD
    }

    Next next(Route row) {
        Backend active = row.active();
        boolean same = active != null && active.endpoint().equals(opening.owner());
        if (!same || contradicted) {
            contradicted = true;
            return Next.HOLD;
        }
        return switch (row.state()) {
            case STABLE -> Next.FOLLOW_THE_ROW;
            case PREPARED -> Next.TRY_TO_ABORT;
            case ARMED, ABORTING, COMMITTED -> Next.SERVE_ON;
        };
    }

    /** True where the same word may be given again: the process has slept since, and nothing has spoken against it. */
    boolean holdsFor(String owner) {
        return !contradicted && opening.owner().equals(owner);
    }

    ForcedOpening opening() {
        return opening;
    }

    String detail() {
        return contradicted
                ? "holds requests: it was opened by hand on " + opening.owner()
                        + ", and the store says that the other side owns the writes; compare both sides, then start this process anew"
                : "opened by hand on " + opening.owner() + " by " + opening.actor() + " while the store was away";
    }

    /**
     * The route that an operator's word makes of the last one known. Answers the refusal where there is none: where the row has said how the attempt
     * ended, nobody's word counts against it.
     */
    static Answer answer(Route known, String owner) {
        Backend active = known.active();
        Backend standby = known.standby();
        boolean kept = active != null && active.endpoint().equals(owner);
        if (!kept && (standby == null || !standby.endpoint().equals(owner))) {
            return new Answer(ForcedOpening.Outcome.UNKNOWN_OWNER, null);
        }
        if (kept) {
            return new Answer(ForcedOpening.Outcome.OPENED, stable(known, known.epoch(), active, known.activeTag()));
        }
        return switch (known.state()) {
            case ARMED, PREPARED ->
                new Answer(
                        ForcedOpening.Outcome.OPENED,
                        stable(known, known.epoch() + 1, standby, (known.activeTag() + 1) % 16));
            case STABLE, ABORTING, COMMITTED -> new Answer(ForcedOpening.Outcome.CONTRADICTS_THE_ROW, null);
        };
    }

    /** @param route present only where it may be opened */
    record Answer(ForcedOpening.Outcome outcome, @Nullable Route route) {}

    private static Route stable(Route known, long epoch, @Nullable Backend owner, int tag) {
        return new Route(
                known.interlay(),
                known.version(),
                epoch,
                RouteState.STABLE,
                0,
                0,
                owner,
                null,
                tag,
                null,
                CanaryPolicy.NONE,
                false);
    }
}
