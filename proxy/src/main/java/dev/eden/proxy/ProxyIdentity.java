package dev.eden.proxy;

/** A proxy process: {@code name} survives restarts (configuration), {@code incarnation} does not; backend connections carry {@code eden:NAME}. */
public record ProxyIdentity(String name, String incarnation, String listen, String version) {
    /** The same, listening on {@code port}: which one it is where 0 was asked for is known only then. */
    ProxyIdentity listeningOn(int port) {
        return listen.endsWith(":0")
                ? new ProxyIdentity(name, incarnation, listen.substring(0, listen.length() - 1) + port, version)
                : this;
    }
}
