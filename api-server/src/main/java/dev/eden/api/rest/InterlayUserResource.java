package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.store.InterlayUserStore;
import dev.eden.api.store.InterlayUserStore.UserView;
import dev.eden.api.store.TokenStore.Role;
import dev.eden.proxy.Secret;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Users of a PostgreSQL whose passwords an interlay is given, for proxies that cannot become them otherwise. No answer has a password. */
@Path("/api/v1/interlays/{id}/users")
@Produces(MediaType.APPLICATION_JSON)
public final class InterlayUserResource {
    /** Of a name in PostgreSQL. */
    private static final int NAME_BYTES = 63;

    private final InterlayUserStore users;

    public InterlayUserResource(InterlayUserStore users) {
        this.users = users;
    }

    @GET
    @Allow(Role.VIEWER)
    @Answers(problems = {ErrorCode.INVALID_PARAMETER, ErrorCode.INTERLAY_NOT_FOUND})
    public Map<String, @Nullable Object> list(
            @PathParam("id") String id,
            @QueryParam("after") @Nullable String after,
            @QueryParam("limit") @Nullable String limit) {
        return Listing.of("users", limit, count -> users.list(id, Listing.after(after), count), UserView::name);
    }

    @PUT
    @Path("{name}")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.ADMIN)
    @Answers(problems = {ErrorCode.INTERLAY_NOT_FOUND, ErrorCode.TOO_MANY_USERS})
    public UserView set(
            @PathParam("id") String id,
            @PathParam("name") String name,
            byte[] body,
            @Context ContainerRequestContext request) {
        Fields fields = Fields.of(body, false);
        if (!fields.text("name", NAME_BYTES, name).equals(name)) {
            fields.error("name", "differs from the path's");
        } else if (!valid(name)) {
            fields.error("name", "a user's name has 1 to " + NAME_BYTES + " bytes, no control characters and no '/'");
        }
        String password = fields.requiredText("password", 4096);
        fields.done();
        return users.set(id, name, new Secret(password), Caller.actor(request));
    }

    private static boolean valid(String name) {
        return !name.isBlank()
                && name.getBytes(StandardCharsets.UTF_8).length <= NAME_BYTES
                && Fields.storable(name)
                && name.chars().noneMatch(c -> Character.isISOControl(c) || c == '/');
    }

    @DELETE
    @Path("{name}")
    @Allow(Role.ADMIN)
    @Answers(
            value = 204,
            problems = {ErrorCode.INTERLAY_NOT_FOUND, ErrorCode.USER_NOT_FOUND})
    public Response remove(
            @PathParam("id") String id, @PathParam("name") String name, @Context ContainerRequestContext request) {
        users.remove(id, name, Caller.actor(request));
        return Response.noContent().build();
    }
}
