package dev.eden.embedded;

/** A database server as a process of this JVM that faults can strike. */
public interface EmbeddedDatabase {
    long pid();

    /** SIGKILL to the server and all that it has forked. */
    void kill();

    /** Starts again on the same port and data, after an orderly stop if it still runs; returns when it serves. */
    void restart();

    /** SIGSTOP to the server and all that it has forked. */
    void suspend();

    /** SIGCONT. */
    void resume();
}
