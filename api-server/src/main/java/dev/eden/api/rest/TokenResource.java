package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.TokenStore;
import dev.eden.api.store.TokenStore.Role;
import dev.eden.api.store.TokenStore.TokenView;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Tokens; the secret is in the answer to its making and nowhere else. */
@Path("/api/v1/tokens")
@Produces(MediaType.APPLICATION_JSON)
public final class TokenResource {
    private final TokenStore tokens;

    public TokenResource(TokenStore tokens) {
        this.tokens = tokens;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.ADMIN)
    @Answers(value = 201, problems = ErrorCode.BAD_REQUEST)
    @NotKept("a token's answer is not kept, so this request takes no Idempotency-Key: send it without; where its"
            + " answer was lost, revoke that token (GET /api/v1/tokens has its id) and make another")
    public Response create(byte[] body, @Context ContainerRequestContext request) {
        Fields fields = Fields.of(body, false);
        String role = fields.oneOf("role", null, "viewer", "operator", "admin");
        String label = fields.requiredText("label", 100);
        if (TokenStore.OWN_LABELS.contains(label)) {
            fields.error("label", "is a name under which servers act themselves; choose another one");
        }
        Duration lifetime = fields.has("lifetime")
                ? fields.duration(
                        "lifetime",
                        Duration.ofDays(1),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        Duration.ofDays(3650))
                : null;
        fields.done();
        TokenStore.NewToken made =
                tokens.create(Role.valueOf(role.toUpperCase(Locale.ROOT)), label, lifetime, Caller.actor(request));
        return Response.status(Response.Status.CREATED).entity(made).build();
    }

    @GET
    @Allow(Role.ADMIN)
    @Answers(problems = ErrorCode.INVALID_PARAMETER)
    public Map<String, @Nullable Object> list(
            @QueryParam("after") @Nullable String after, @QueryParam("limit") @Nullable String limit) {
        return Listing.of("tokens", limit, count -> tokens.list(after(after), count), TokenView::id);
    }

    /** Tokens are listed in the order of their making: the place after one is known by its id. */
    private static @Nullable UUID after(@Nullable String after) {
        try {
            return after == null ? null : UUID.fromString(after);
        } catch (IllegalArgumentException e) {
            throw MigrationResource.badParameter("after", "must be the id of a token");
        }
    }

    @DELETE
    @Path("{id}")
    @Allow(Role.ADMIN)
    @Answers(value = 204, problems = ErrorCode.TOKEN_NOT_FOUND)
    public Response revoke(@PathParam("id") String id, @Context ContainerRequestContext request) {
        UUID uuid;
        try {
            uuid = UUID.fromString(id);
        } catch (IllegalArgumentException e) {
            throw new Problem(ErrorCode.TOKEN_NOT_FOUND, "a token's id is a UUID");
        }
        tokens.revoke(uuid, Caller.actor(request));
        return Response.noContent().build();
    }
}
