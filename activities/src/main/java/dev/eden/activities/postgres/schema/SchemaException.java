package dev.eden.activities.postgres.schema;

import org.jspecify.annotations.Nullable;

/** The target does not take an object of the source; the message names both. */
public final class SchemaException extends RuntimeException {
    SchemaException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
