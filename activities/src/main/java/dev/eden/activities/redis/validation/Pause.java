package dev.eden.activities.redis.validation;

final class Pause {
    private Pause() {}

    /** Throws {@link EqualPositions.UnsettledException} when interrupted: a validation ends then. */
    static void millis(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EqualPositions.UnsettledException("interrupted");
        }
    }
}
