package dev.eden.api;

/** What this is a version of. */
public final class Version {
    public static final String EDEN = "0.1.0";

    private Version() {}
}
