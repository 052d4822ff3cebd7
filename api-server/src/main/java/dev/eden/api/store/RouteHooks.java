package dev.eden.api.store;

import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** The route rows' side of what the directory changes; every call joins the caller's transaction. */
public interface RouteHooks {

    /** Where there are no routes: tests of the store alone. */
    RouteHooks NONE = new RouteHooks() {};

    /** A new front; {@code endpoint} is null until it is bound. */
    default void interlayCreated(Handle handle, String interlay, @Nullable String endpoint) {}

    /** The front stands before this endpoint from now on; it had none. */
    default void interlayBound(Handle handle, String interlay, String endpoint) {}

    /** Address (only while unused) or credentials are others now: proxies should read their routes again. */
    default void endpointChanged(Handle handle, String endpoint) {}
}
