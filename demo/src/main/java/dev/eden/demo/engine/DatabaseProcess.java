package dev.eden.demo.engine;

/** One of the two servers as a process that faults strike. */
public interface DatabaseProcess {
    long pid();

    /** SIGKILL. */
    void kill();

    /** After {@link #kill}, on the same port and data; returns when it serves. */
    void restart();

    /** SIGSTOP. */
    void suspend();

    /** SIGCONT. */
    void resume();
}
