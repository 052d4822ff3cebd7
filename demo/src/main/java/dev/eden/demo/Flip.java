package dev.eden.demo;

/**
 * One attempt to move authority, with the pause as the clients saw it: the latency of every request that overlapped the time
 * from hold to open.
 *
 * @param direction {@code forward} or {@code rollback}
 * @param outcome {@code committed} or why not
 * @param reported false where the server told no times and they were taken from the slowest request around the flip
 */
record Flip(
        String direction,
        String outcome,
        boolean reported,
        long windowMicros,
        int requests,
        double pauseMaxMillis,
        double pauseP99Millis) {

    boolean committed() {
        return outcome.equals("committed");
    }
}
