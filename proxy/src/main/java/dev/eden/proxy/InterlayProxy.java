package dev.eden.proxy;

/** A running proxy, whatever its engine. */
public sealed interface InterlayProxy extends AutoCloseable permits RedisProxy, PostgresProxy {
    /** The port it listens on. */
    int port();

    Health health();

    /** Clients that are connected now. */
    int clients();

    /**
     * Opens on an operator's word; only while the proxy holds and the store can't be read. Blocks until the proxy has looked at the store
     * once more; throws {@link IllegalStateException} where it does not come to that within 30 s. Thread-safe.
     */
    ForcedOpening.Outcome forceOpen(ForcedOpening opening);

    /** Stops accepting, takes part in a running attempt to its end, lets what is in flight end (5 s at most each), closes, signs off. */
    @Override
    void close();
}
