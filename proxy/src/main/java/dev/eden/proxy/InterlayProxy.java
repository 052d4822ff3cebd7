package dev.eden.proxy;

/** A running proxy, whatever its engine. */
public sealed interface InterlayProxy extends AutoCloseable permits RedisProxy, PostgresProxy {
    /** The port it listens on. */
    int port();

    Health health();

    /** Stops accepting, takes part in a running attempt to its end, lets what is in flight end (5 s at most each), closes, signs off. */
    @Override
    void close();
}
