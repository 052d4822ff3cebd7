package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import jakarta.annotation.Priority;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.PreMatching;
import java.util.concurrent.Semaphore;

/**
 * Bounds what one token asks in a second and what is answered at once: requests run on virtual threads, of which there are as many as
 * clients want. Runs after authentication, so that a stranger takes nothing from anybody's share.
 */
@PreMatching
@Priority(Priorities.AUTHENTICATION + 50)
final class LimitFilter implements ContainerRequestFilter, ContainerResponseFilter {
    private static final String ADMITTED = "dev.eden.admitted";

    private final RateLimiter rates;
    private final Semaphore atOnce;

    LimitFilter(RateLimiter rates, int atOnce) {
        this.rates = rates;
        this.atOnce = new Semaphore(atOnce);
    }

    @Override
    public void filter(ContainerRequestContext request) {
        long wait = rates.take(Caller.identity(request).id());
        if (wait > 0) {
            throw new Problem(ErrorCode.TOO_MANY_REQUESTS, "the token has used up its requests of this moment")
                    .with("retry_after", wait);
        }
        if (!atOnce.tryAcquire()) {
            throw new Problem(ErrorCode.SERVER_BUSY, "the server answers as many requests as it takes already")
                    .with("retry_after", 1);
        }
        request.setProperty(ADMITTED, Boolean.TRUE);
    }

    /** Also for problems: they pass here too. A stream gives its place back when it begins; streams have a limit of their own. */
    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        if (request.getProperty(ADMITTED) != null) {
            request.removeProperty(ADMITTED);
            atOnce.release();
        }
    }
}
