package dev.eden.proxy.postgres;

/** What of one client's requests is under way on its connection: batches up to their Sync, and the one that it is still sending. */
final class Batches {
    /** Sent and not yet answered by ReadyForQuery. */
    private int unanswered;
    /** Messages of a batch are out and its Sync is not. */
    private boolean open;
    /** Something in that batch runs. */
    private boolean executes;

    int unanswered() {
        return unanswered;
    }

    boolean open() {
        return open;
    }

    /** True where something has run, or will, between now and the last answer to all that was asked before. */
    boolean runs() {
        return unanswered > 0 || executes;
    }

    boolean underWay() {
        return unanswered > 0 || open;
    }

    /** A message is out that a Sync has to follow. */
    void begun() {
        open = true;
    }

    void executed() {
        executes = true;
    }

    /** The Sync is out, or what is a batch by itself. */
    void sent() {
        unanswered++;
        open = false;
        executes = false;
    }

    void answered(int count) {
        unanswered -= count;
    }

    /** Syncs that the server ignores because a COPY from the client runs; {@code open}: the batch goes on, and another Sync follows. */
    void syncsIgnored(int count, boolean open) {
        unanswered -= count;
        this.open |= open;
    }

    /** A simple query that the server skips for an error before it, as all that comes before the Sync. */
    void querySkipped() {
        unanswered--;
    }

    /** Nothing of it will be answered: the connection is gone. */
    void lost() {
        unanswered = 0;
        open = false;
        executes = false;
    }
}
