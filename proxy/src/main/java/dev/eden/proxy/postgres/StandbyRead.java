package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * A read that the standby serves, one at a time: its answer is kept until it is whole, so that what fails there is asked again of the active side and the
 * client never learns. Of an answer that is too long to be kept it does.
 */
final class StandbyRead {
    /** Of an answer that is kept; more goes out as it comes, and then it is too late to ask the other side. */
    private static final int MOST_KEPT = 1 << 20;

    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private final ClientSession session;
    /** Null: none is under way. */
    private @Nullable ByteBuf request;

    private @Nullable CompositeByteBuf kept;
    private boolean keeping;
    private boolean failed;
    private String failure = Canary.FAILED;
    private boolean cancelled;
    private long begunAt;
    /** What a pin holds on the active side meanwhile. */
    private @Nullable ServerConnection parked;

    StandbyRead(ClientSession session) {
        this.session = session;
    }

    /** True while the standby serves a read of this client. */
    boolean running() {
        return request != null;
    }

    /** True while the standby has been at it since {@code moment} at least. */
    boolean waitsSince(long moment) {
        return running() && moment - begunAt >= 0;
    }

    /** The standby serves it; what a pin holds waits. The request is taken over. */
    void begin(ByteBuf batch, ServerConnection standby) {
        request = batch;
        kept = ByteBufAllocator.DEFAULT.compositeBuffer(64);
        keeping = true;
        failed = false;
        cancelled = false;
        begunAt = session.loop.now;
        ServerConnection pinned = session.server();
        if (pinned != null) {
            pinned.client = null;
            parked = pinned;
        }
        session.serveBy(standby);
    }

    /** The client has asked to cancel it: the error that follows is the client's. */
    void cancelled() {
        cancelled = true;
    }

    /** True while the client has been told nothing of the answer. */
    boolean keeping() {
        return keeping;
    }

    /** Takes bytes that the standby answers; false: they are the client's now. */
    boolean keeps(ByteBuf bytes) {
        CompositeByteBuf all = kept;
        if (!keeping || all == null) {
            return false;
        }
        if (failed) {
            bytes.release();
            return true;
        }
        if (all.readableBytes() + bytes.readableBytes() > MOST_KEPT) {
            keeping = false;
            kept = null;
            session.deliver(all);
            return false;
        }
        all.addComponent(true, bytes);
        return true;
    }

    /** True where the client need not learn of an error of the standby's. */
    boolean hides(ErrorMessage error) {
        if (!running() || !keeping || cancelled && error.sqlState().equals("57014")) {
            return false;
        }
        failed = true;
        failure = error.sqlState().equals(LOCK_NOT_AVAILABLE) ? Canary.LOCKED : Canary.FAILED;
        return true;
    }

    /** The whole answer is there. Answers the request where it has to be made again. */
    @Nullable
    ByteBuf end() {
        ByteBuf asked = request;
        CompositeByteBuf answer = kept;
        boolean again = failed && keeping;
        over();
        if (again) {
            release(answer);
            session.canary.failedThere(failure);
        } else {
            session.loop.counters.servedByStandby++;
            release(asked);
            if (answer != null) {
                session.deliver(answer);
            }
        }
        unpark();
        return again ? asked : null;
    }

    /** The connection is gone. Answers the request to be made again; null: part of the answer is with the client. */
    @Nullable
    ByteBuf lost() {
        ByteBuf asked = request;
        CompositeByteBuf answer = kept;
        boolean again = keeping;
        over();
        release(answer);
        if (again) {
            session.canary.failedThere(Canary.FAILED);
        } else {
            release(asked);
        }
        unpark();
        return again ? asked : null;
    }

    /** Back to what a pin holds. */
    private void unpark() {
        ServerConnection standby = session.server();
        ServerConnection pinned = parked;
        if (pinned == null) {
            return;
        }
        parked = null;
        session.serveBy(pinned);
        if (standby != null) {
            standby.pool.release(standby);
        }
        if (pinned.usable()) {
            pinned.client = session;
        } else {
            session.serverLost(null);
        }
    }

    /** The client has gone. */
    void close() {
        release(request);
        release(kept);
        over();
        ServerConnection pinned = parked;
        parked = null;
        if (pinned != null) {
            pinned.pool.reclaim(pinned, true);
        }
    }

    private void over() {
        request = null;
        kept = null;
        keeping = false;
    }

    private static void release(@Nullable ByteBuf bytes) {
        if (bytes != null) {
            bytes.release();
        }
    }
}
