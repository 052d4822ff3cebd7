package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.TokenStore.Identity;
import dev.eden.api.store.TokenStore.Role;
import jakarta.annotation.Priority;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.Context;
import org.jspecify.annotations.Nullable;

/** Holds the caller's role against the method's {@link Allow}. */
@Priority(Priorities.AUTHORIZATION)
final class RoleFilter implements ContainerRequestFilter {
    @Context
    private @Nullable ResourceInfo resource;

    @Override
    public void filter(ContainerRequestContext request) {
        ResourceInfo matched = resource;
        if (matched == null || matched.getResourceMethod() == null) {
            return;
        }
        Allow allow = matched.getResourceMethod().getAnnotation(Allow.class);
        Role least = allow == null ? Role.ADMIN : allow.value();
        Identity identity = Caller.identity(request);
        if (!identity.role().includes(least)) {
            throw new Problem(
                    ErrorCode.FORBIDDEN,
                    "this needs the role " + least.label() + "; the token's is "
                            + identity.role().label());
        }
    }
}
