package dev.eden.proxy;

/** This process is not among the proxies of its interlay: no attempt waits for it, so that it must not serve. */
public final class NotJoinedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean replaced;

    /** @param replaced another process has joined under the name; else the name is not there any more: an operator has removed it */
    public NotJoinedException(String proxy, String interlay, boolean replaced) {
        super("proxy " + proxy + " of " + interlay
                + (replaced ? ": another process has joined under this name" : " is not joined (any more)"));
        this.replaced = replaced;
    }

    public boolean replaced() {
        return replaced;
    }
}
