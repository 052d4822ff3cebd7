package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.store.ProxyStore;
import dev.eden.api.store.ProxyStore.JoinedProxy;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The proxies that have joined, of all interlays, and the removal of those that will not come back. */
@Path("/api/v1/proxies")
@Produces(MediaType.APPLICATION_JSON)
public final class ProxyResource {
    private static final int LONGEST_REASON = 2_000;

    private final ProxyStore proxies;
    private final ProxyRemoval removal;

    public ProxyResource(ProxyStore proxies, ProxyRemoval removal) {
        this.proxies = proxies;
        this.removal = removal;
    }

    @GET
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.INVALID_PARAMETER)
    public Map<String, @Nullable Object> list(
            @QueryParam("after") @Nullable String after, @QueryParam("limit") @Nullable String limit) {
        return Listing.of("proxies", limit, count -> proxies.list(Listing.after(after), count), JoinedProxy::id);
    }

    @DELETE
    @Path("{id}")
    @Allow(Role.ADMIN)
    @Answers(
            value = 204,
            problems = {
                ErrorCode.PROXY_NOT_FOUND,
                ErrorCode.PROXY_ALIVE,
                ErrorCode.PROXY_CONNECTED,
                ErrorCode.PROXY_UNCHECKED
            })
    public Response remove(
            @PathParam("id") String id,
            @QueryParam("reason") @Nullable String reason,
            @QueryParam("force") @Nullable String force,
            @Context ContainerRequestContext request) {
        if (reason == null || reason.isBlank()) {
            throw MigrationResource.badParameter("reason", "is missing: the audit log keeps why");
        }
        if (reason.length() > LONGEST_REASON || !Fields.storable(reason)) {
            throw MigrationResource.badParameter(
                    "reason", "has up to " + LONGEST_REASON + " characters and no control characters");
        }
        if (force != null && !force.equals("true") && !force.equals("false")) {
            throw MigrationResource.badParameter("force", "must be true or false");
        }
        removal.remove(id, reason, "true".equals(force), Caller.actor(request));
        return Response.noContent().build();
    }
}
