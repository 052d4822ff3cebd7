package dev.eden.activities.redis.replication;

import java.io.IOException;

/** See {@link Ending.LogLost}. */
final class LogLostException extends IOException {
    LogLostException(String message) {
        super(message);
    }
}
