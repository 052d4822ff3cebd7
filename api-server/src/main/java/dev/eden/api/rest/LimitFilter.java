package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import jakarta.annotation.Priority;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import java.util.concurrent.Semaphore;

/**
 * Bounds what one token asks in a second and what is answered at once: requests run on virtual threads, of which there are as many as
 * clients want. Runs after authentication, so that a stranger takes nothing from anybody's share;
 * {@link PlaceFilter} gives the place back.
 */
@PreMatching
@Priority(Priorities.AUTHENTICATION + 50)
final class LimitFilter implements ContainerRequestFilter {
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

    /** Once only, however often it is said. */
    void left(ContainerRequestContext request) {
        if (request.getProperty(ADMITTED) != null) {
            request.removeProperty(ADMITTED);
            atOnce.release();
        }
    }
}
