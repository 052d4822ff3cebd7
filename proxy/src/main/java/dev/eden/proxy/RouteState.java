package dev.eden.proxy;

/** The state of a route row; see docs/adr/0001 for who may change which into what. */
public enum RouteState {
    STABLE,
    ARMED,
    PREPARED,
    ABORTING,
    COMMITTED
}
