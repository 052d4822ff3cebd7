package dev.eden.demo;

import dev.eden.demo.check.Pauses;
import java.util.Map;

/**
 * One attempt to move authority, with the pause as the clients saw it: the latency of every request that overlapped the time
 * from hold to open.
 *
 * @param direction {@code forward} or {@code rollback}
 * @param outcome {@code committed} or why not
 * @param steps of the coordinator in their order, from the hold to the opening, in milliseconds
 * @param proxies when each proxy acknowledged what, in milliseconds after the hold
 * @param reported false where the server told no times and they were taken from the slowest request around the flip
 */
record Flip(
        String direction,
        String outcome,
        boolean reported,
        long windowMicros,
        Map<String, Double> steps,
        Map<String, Double> proxies,
        Pauses.Pause pause) {

    boolean committed() {
        return outcome.equals("committed");
    }
}
