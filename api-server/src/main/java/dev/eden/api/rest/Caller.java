package dev.eden.api.rest;

import dev.eden.api.store.TokenStore.Identity;
import jakarta.ws.rs.container.ContainerRequestContext;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Who asks, and what makes a repeated request the same request. */
final class Caller {
    static final String IDENTITY = "dev.eden.identity";
    static final String IDEMPOTENCY_KEY = "Idempotency-Key";

    private Caller() {}

    static Identity identity(ContainerRequestContext request) {
        if (request.getProperty(IDENTITY) instanceof Identity identity) {
            return identity;
        }
        throw new IllegalStateException("not authenticated");
    }

    static String actor(ContainerRequestContext request) {
        return identity(request).label();
    }

    /** The id of a command: the same for the same token and Idempotency-Key, else new. */
    static String commandId(ContainerRequestContext request) {
        @Nullable String key = request.getHeaderString(IDEMPOTENCY_KEY);
        if (key == null) {
            return UUID.randomUUID().toString();
        }
        String name = identity(request).id() + "/" + request.getUriInfo().getPath() + "/" + key;
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
    }
}
