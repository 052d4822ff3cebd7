package dev.eden.proxy;

/**
 * What a proxy says about itself.
 *
 * @param serving requests go to a server now
 * @param state the route state it follows
 * @param storeReadable the last read of the store succeeded
 * @param bound the interlay has an endpoint; without one every request is answered with an error
 * @param detail in words, when something is wrong; else empty
 */
public record Health(
        boolean serving, RouteState state, long epoch, boolean storeReadable, boolean bound, String detail) {}
