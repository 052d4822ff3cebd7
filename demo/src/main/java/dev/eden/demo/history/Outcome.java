package dev.eden.demo.history;

/** What became of an operation, as its client knows it. */
public enum Outcome {
    /** The server answered. */
    OK,
    /** The connection was lost after the request was sent: it ran once, or never, now or later. */
    IN_DOUBT,
    /** An error reply: it did not run. */
    FAILED
}
