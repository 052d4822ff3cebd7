package dev.eden.activities.cleanup;

/** Something of Eden's is left on a server, or may be: another run is needed. The message names the endpoint. */
public final class CleanupIncomplete extends RuntimeException {
    CleanupIncomplete(String message) {
        super(message);
    }
}
