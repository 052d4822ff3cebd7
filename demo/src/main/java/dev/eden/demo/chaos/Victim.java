package dev.eden.demo.chaos;

import java.util.stream.Stream;

/** What a fault strikes. */
sealed interface Victim permits Node, Way {
    /** As the command line and the tables call it. */
    String label();

    /** The process that it is, or from which it leads to a database. */
    Node process();

    /** Index of the proxy whose clients feel it, -1 where there is none. */
    int proxy();

    static Victim of(String label) {
        return Stream.<Victim>concat(Stream.of(Node.values()), Stream.of(Way.values()))
                .filter(victim -> victim.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such process: " + label));
    }
}
