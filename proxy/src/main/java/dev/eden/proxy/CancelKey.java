package dev.eden.proxy;

/**
 * A client's key to cancel, as proxies tell it to one another: its process id and a digest of both its parts, so that nobody who reads it in
 * the store can cancel with it.
 */
public record CancelKey(int pid, String digest) {}
