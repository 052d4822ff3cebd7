package dev.eden.proxy.redis;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the process where there is no memory for buffers. The JVM does so by itself for its heap only ({@code -XX:+ExitOnOutOfMemoryError}); Java code says
 * it of the memory outside. A proxy that went on would close connections that many clients share, again and again, and be half alive.
 */
final class Exhaustion {
    private static final Logger LOGGER = LoggerFactory.getLogger(Exhaustion.class);
    /** As the JVM's own. */
    private static final int EXIT_CODE = 3;

    private Exhaustion() {}

    static void endIf(Throwable cause) {
        if (cause instanceof OutOfMemoryError) {
            try {
                LOGGER.atError().log("ending: {}", cause.toString());
            } finally {
                Runtime.getRuntime().halt(EXIT_CODE);
            }
        }
    }
}
