package dev.eden.api.rest;

import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import java.util.Map;

/** What a browser must not do with an answer that it was led to: guess its type, keep it, show it in a frame, run anything of it. */
final class HeadersFilter implements ContainerResponseFilter {
    static final Map<String, String> HEADERS = Map.of(
            "X-Content-Type-Options", "nosniff",
            "Cache-Control", "no-store",
            "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy", "no-referrer",
            "X-Frame-Options", "DENY");

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        HEADERS.forEach(response.getHeaders()::putSingle);
        if (request.getSecurityContext() != null && request.getSecurityContext().isSecure()) {
            response.getHeaders().putSingle("Strict-Transport-Security", "max-age=31536000");
        }
    }
}
