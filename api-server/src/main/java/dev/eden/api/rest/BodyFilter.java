package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import jakarta.annotation.Priority;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.PreMatching;
import java.io.ByteArrayInputStream;
import java.io.IOException;

/**
 * Reads a body once, up to 1 MiB; runs after authentication, so that a stranger's body is never read. An answer given before the body
 * was read says {@code Connection: close} (RFC 9112 section 9.6): the server closes there, and a client that is not told loses its next
 * request on the connection.
 */
@PreMatching
@Priority(1_100)
final class BodyFilter implements ContainerRequestFilter, ContainerResponseFilter {
    private static final int LIMIT = 1 << 20;
    private static final String BODY = "dev.eden.body";

    @Override
    public void filter(ContainerRequestContext request) throws IOException {
        if (!request.hasEntity()) {
            return;
        }
        byte[] body = request.getEntityStream().readNBytes(LIMIT + 1);
        if (body.length > LIMIT) {
            throw new Problem(ErrorCode.BODY_TOO_LARGE, "the body has more than 1 MiB");
        }
        request.setProperty(BODY, body);
        request.setEntityStream(new ByteArrayInputStream(body));
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        boolean sent = request.getLength() > 0 || request.getHeaderString("Transfer-Encoding") != null;
        if (sent && request.getProperty(BODY) == null) {
            response.getHeaders().putSingle("Connection", "close");
        }
    }

    static byte[] body(ContainerRequestContext request) {
        return request.getProperty(BODY) instanceof byte[] body ? body : new byte[0];
    }
}
