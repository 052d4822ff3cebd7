package dev.eden.proxy;

import java.time.Duration;

/** The share (0…1) of eligible reads the standby serves, chosen by key, and how fresh it must be. */
public record CanaryPolicy(double readShare, Consistency consistency, Duration maxWait) {
    public static final CanaryPolicy NONE = new CanaryPolicy(0, Consistency.SESSION, Duration.ofMillis(5));

    /** Reads go to a Redis that is the standby only where it has been seen within this time to have what it should; whoever empties it waits longer. */
    public static final Duration SEEN_WITHIN = Duration.ofSeconds(1);

    /** {@code SESSION}: never older than what this connection has read or written; {@code GLOBAL}: nor than what anybody had been told when the read arrived. */
    public enum Consistency {
        SESSION,
        GLOBAL
    }
}
