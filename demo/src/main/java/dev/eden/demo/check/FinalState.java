package dev.eden.demo.check;

import java.util.List;
import java.util.Map;

/**
 * Sequences and queues as they stood at the end, read from one place. Registers and counters are read at the end too, but
 * those reads are ordinary operations of a final client in the history.
 *
 * @param place where it was read: the server itself or one of its fronts
 * @param elements by cell; every sequence and queue cell is present
 */
public record FinalState(String place, Map<Integer, long[]> elements) {

    /** The first of {@code states} is the truth that the others are held against. */
    static long[] truth(List<FinalState> states, int cell) {
        return states.getFirst().elements().getOrDefault(cell, new long[0]);
    }
}
