package dev.eden.proxy;

/** A proxy and the servers have no {@link WireVersion} in common. */
public final class WireRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean proxyIsOlder;

    WireRefusedException(int mine, int oldest, int newest) {
        super("the proxy speaks wire versions " + WireVersion.OLDEST + " to " + mine + ", the servers " + oldest
                + " to " + newest);
        this.proxyIsOlder = mine < oldest;
    }

    /** Else the servers are. */
    public boolean proxyIsOlder() {
        return proxyIsOlder;
    }
}
