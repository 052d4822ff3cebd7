package dev.eden.proxy.redis;

/**
 * {@code CLIENT REPLY}: whether a client hears of what it asks. Servers always answer, and what is not to be heard is dropped here, so that the order
 * of replies on a shared connection holds.
 */
final class ReplyMode {
    private enum Skip {
        NO,
        /** The next request's reply. */
        NEXT,
        /** That request is on its way. */
        CURRENT
    }

    private final ClientConnection client;
    private boolean muted;
    private Skip skip = Skip.NO;

    ReplyMode(ClientConnection client) {
        this.client = client;
    }

    void on() {
        muted = false;
        skip = Skip.NO;
    }

    void off() {
        muted = true;
        skip = Skip.NO;
    }

    void skip() {
        if (!muted) {
            skip = Skip.NEXT;
        }
    }

    boolean muted() {
        return muted;
    }

    boolean skipping() {
        return skip == Skip.CURRENT;
    }

    /** The end of a request whose reply was skipped; false when it is still in flight. */
    boolean aloud() {
        if (skip == Skip.CURRENT) {
            if (client.inFlight() > 0) {
                return false;
            }
            skip = Skip.NO;
            muted = false;
        }
        return true;
    }

    /** The request at hand goes out or is answered now: true where its reply is to be skipped. */
    boolean begin() {
        if (skip != Skip.NEXT) {
            return false;
        }
        skip = Skip.CURRENT;
        muted = true;
        return true;
    }

    /** What went out or was tried is at hand again. */
    void again() {
        if (skip == Skip.CURRENT) {
            skip = Skip.NEXT;
            muted = false;
        }
    }
}
