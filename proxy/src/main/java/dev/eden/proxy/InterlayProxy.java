package dev.eden.proxy;

/** A running proxy, whatever its engine. */
public interface InterlayProxy extends AutoCloseable {
    /** The port it listens on. */
    int port();

    Health health();

    /** Stops accepting, lets what is in flight end (5 s at most), closes, signs off. */
    @Override
    void close();
}
