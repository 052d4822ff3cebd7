package dev.eden.proxy;

/** A proxy process: {@code name} survives restarts (configuration), {@code incarnation} does not; backend connections carry {@code eden:NAME}. */
public record ProxyIdentity(String name, String incarnation, String listen, String version) {}
