package dev.eden.api.rest;

import jakarta.annotation.Priority;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * Lets pages of Temporal's Web UI, and of nothing else, call {@link CodecResource}, and nothing else. A browser asks first (OPTIONS, without
 * a token); that is answered here, before the token is looked for. Credentials are allowed for a balancer in front that has a session
 * of its own; Eden knows no cookie.
 */
@PreMatching
@Priority(200)
final class CodecOriginFilter implements ContainerRequestFilter, ContainerResponseFilter {
    private final @Nullable String origin;

    /** {@code ui}: the Web UI's address; null: no page may call. */
    CodecOriginFilter(@Nullable String ui) {
        this.origin = ui == null ? null : origin(URI.create(ui));
    }

    @Override
    public void filter(ContainerRequestContext request) {
        if (request.getMethod().equals("OPTIONS")
                && request.getHeaderString("Access-Control-Request-Method") != null
                && allowed(request)) {
            request.abortWith(Response.noContent()
                    .header("Access-Control-Allow-Methods", "POST")
                    .header(
                            "Access-Control-Allow-Headers",
                            "Authorization, Authorization-Extras, Content-Type, Temporal-Namespace, X-Namespace")
                    .header("Access-Control-Max-Age", "600")
                    .build());
        }
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        if (ofCodec(request)) {
            response.getHeaders().putSingle("Vary", "Origin");
            if (allowed(request)) {
                response.getHeaders().putSingle("Access-Control-Allow-Origin", origin);
                response.getHeaders().putSingle("Access-Control-Allow-Credentials", "true");
            }
        }
    }

    private boolean allowed(ContainerRequestContext request) {
        return ofCodec(request) && origin != null && origin.equals(request.getHeaderString("Origin"));
    }

    private static boolean ofCodec(ContainerRequestContext request) {
        String path = request.getUriInfo().getPath();
        return (path.startsWith("/") ? path.substring(1) : path).startsWith(CodecResource.PATH);
    }

    /** RFC 6454: scheme, host and a port that is not the scheme's own. */
    private static String origin(URI ui) {
        boolean usual = ui.getPort() < 0 || ui.getPort() == (ui.getScheme().equals("https") ? 443 : 80);
        return ui.getScheme() + "://" + ui.getHost() + (usual ? "" : ":" + ui.getPort());
    }
}
