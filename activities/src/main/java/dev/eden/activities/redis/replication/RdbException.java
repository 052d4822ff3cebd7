package dev.eden.activities.redis.replication;

import java.io.IOException;

/** The file can't be copied, and reading it again would not help: an unknown or refused type, a value too large, a wrong checksum. */
final class RdbException extends IOException {
    RdbException(String message) {
        super(message);
    }
}
