package dev.eden.activities.store;

/** Resolves an endpoint id to an address and credentials. */
public interface EndpointDirectory {

    /** Throws {@link java.util.NoSuchElementException} for an unknown id. */
    Endpoint endpoint(String id);
}
