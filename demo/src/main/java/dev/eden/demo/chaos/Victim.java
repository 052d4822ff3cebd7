package dev.eden.demo.chaos;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The processes that faults strike. The server holds the coordinator, the workers and the applier; {@code STANDBY} is the Redis that follows
 * when the fault is planted.
 */
enum Victim {
    SERVER,
    PROXY_1,
    PROXY_2,
    PROXY_3,
    STORE,
    TEMPORAL,
    STANDBY;

    /** As the command line and the tables call it. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Victim of(String label) {
        for (Victim victim : values()) {
            if (victim.label().equals(label)) {
                return victim;
            }
        }
        throw new IllegalArgumentException("no such process: " + label);
    }

    static List<Victim> proxies(int count) {
        return Arrays.stream(values())
                .filter(victim -> victim.proxy() >= 0 && victim.proxy() < count)
                .toList();
    }

    /** Index of a proxy, -1 for anything else. */
    int proxy() {
        return switch (this) {
            case PROXY_1 -> 0;
            case PROXY_2 -> 1;
            case PROXY_3 -> 2;
            case SERVER, STORE, TEMPORAL, STANDBY -> -1;
        };
    }
}
