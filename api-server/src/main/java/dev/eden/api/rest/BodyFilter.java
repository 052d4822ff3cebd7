package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import jakarta.annotation.Priority;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import java.io.ByteArrayInputStream;
import java.io.IOException;

/** Reads a body once, up to 1 MiB; runs after authentication, so that a stranger's body is never read. */
@PreMatching
@Priority(1_100)
final class BodyFilter implements ContainerRequestFilter {
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

    static byte[] body(ContainerRequestContext request) {
        return request.getProperty(BODY) instanceof byte[] body ? body : new byte[0];
    }
}
