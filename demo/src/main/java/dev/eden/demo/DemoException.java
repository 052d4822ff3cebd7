package dev.eden.demo;

/** The demo cannot go on; the message says why in words for the person in front of it. */
public final class DemoException extends RuntimeException {
    public DemoException(String message) {
        super(message);
    }

    public DemoException(String message, Throwable cause) {
        super(message, cause);
    }
}
