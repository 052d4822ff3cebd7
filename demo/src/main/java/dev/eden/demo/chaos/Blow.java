package dev.eden.demo.chaos;

import java.util.Locale;
import java.util.Random;

/** How a process is struck, and for how long it stays away. */
enum Blow {
    /** SIGKILL, and a start after up to 2 s. */
    KILL,
    /** SIGSTOP, and SIGCONT after 1 to 5 s. */
    STOP,
    /** A partition: its links to Eden's store (the server's to Temporal too) carry nothing either way for 1 to 5 s; its links to databases and clients do. */
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
