package dev.eden.demo.chaos;

import java.util.Locale;
import java.util.Random;

/** How a process is struck, and for how long it stays away. */
enum Blow {
    /** SIGKILL, and a start after up to 2 s. */
    KILL,
    /** SIGSTOP, and SIGCONT after 1 to 5 s. */
    STOP,
    /**
     * A partition: for 1 to 5 s nothing passes either way. A process is cut off from Eden's store (the server from Temporal too) and keeps its links to databases and
     * clients; a {@link Way} is cut between its two ends.
     */
    CUT;

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Blow of(String label) {
        for (Blow blow : values()) {
            if (blow.label().equals(label)) {
                return blow;
            }
        }
        throw new IllegalArgumentException("no such action: " + label);
    }

    long millis(Random choice) {
        return switch (this) {
            case KILL -> choice.nextInt(2000);
            case STOP, CUT -> 1000 + choice.nextInt(4000);
        };
    }
}
