package dev.eden.embedded;

/** An embedded server could not be unpacked, started or driven; the message says which one, why, and what its log says last. */
public final class EmbeddedServerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EmbeddedServerException(String message) {
        super(message);
    }

    EmbeddedServerException(String message, Throwable cause) {
        super(message, cause);
    }
}
