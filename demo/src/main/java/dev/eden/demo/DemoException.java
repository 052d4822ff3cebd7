package dev.eden.demo;

/** The demo cannot go on; the message says why in words for the person in front of it. */
final class DemoException extends RuntimeException {
    DemoException(String message) {
        super(message);
    }

    DemoException(String message, Throwable cause) {
        super(message, cause);
    }
}
