package dev.eden.api.trace;

import jakarta.annotation.Priority;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.PreMatching;
import org.slf4j.MDC;

/** First of all filters: even a refused login has an id that its log line and its answer share. */
@PreMatching
@Priority(1)
public final class RequestIdFilter implements ContainerRequestFilter, ContainerResponseFilter {
    @Override
    public void filter(ContainerRequestContext request) {
        MDC.put(RequestId.KEY, RequestId.of(request.getHeaderString(RequestId.HEADER)));
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        RequestId.current().ifPresent(id -> response.getHeaders().putSingle(RequestId.HEADER, id));
        MDC.remove(RequestId.KEY);
    }
}
