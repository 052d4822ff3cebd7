package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import jakarta.annotation.Priority;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.UriInfo;
import java.net.URI;
import java.util.List;

/** No NUL in an address: the store knows none. {@code /migrations/…}, {@code /endpoints/…} and {@code /interlays/…} are aliases of the same paths under {@code /api/v1}. */
@PreMatching
@Priority(100)
final class AliasFilter implements ContainerRequestFilter {
    private static final List<String> ALIASED = List.of("migrations", "endpoints", "interlays");

    @Override
    public void filter(ContainerRequestContext request) {
        UriInfo uri = request.getUriInfo();
        if (uri.getRequestUri().toString().contains("%00")) {
            throw new Problem(ErrorCode.BAD_REQUEST, "the address holds a NUL character");
        }
        String path = uri.getPath(false);
        String first = path.startsWith("/") ? path.substring(1) : path;
        int slash = first.indexOf('/');
        if (ALIASED.contains(slash < 0 ? first : first.substring(0, slash))) {
            String full = uri.getRequestUri().getRawPath();
            URI aliased =
                    uri.getRequestUriBuilder().replacePath("/api/v1" + full).build();
            request.setRequestUri(uri.getBaseUri(), aliased);
        }
    }
}
