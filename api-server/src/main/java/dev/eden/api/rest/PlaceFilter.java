package dev.eden.api.rest;

import jakarta.annotation.Priority;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;

/**
 * Gives back the place that {@link LimitFilter} took. The first of all filters that an answer passes (they run from the highest number down), so that
 * nothing that fails in another one keeps a place for good. Also for problems: they pass here too. A stream gives its place back when it begins; streams
 * have a limit of their own.
 */
@Priority(Priorities.USER + 10_000)
final class PlaceFilter implements ContainerResponseFilter {
    private final LimitFilter limits;

    PlaceFilter(LimitFilter limits) {
        this.limits = limits;
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        limits.left(request);
    }
}
