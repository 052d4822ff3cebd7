package dev.eden.api.rest;

import dev.eden.activities.store.Endpoint;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.store.EndpointStore;
import dev.eden.api.store.EndpointStore.EndpointView;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Databases Eden may connect to. */
@Path("/api/v1/endpoints")
@Produces(MediaType.APPLICATION_JSON)
public final class EndpointResource {
    private final EndpointStore endpoints;
    private final Checker checker;

    public EndpointResource(EndpointStore endpoints, Checker checker) {
        this.endpoints = endpoints;
        this.checker = checker;
    }

    /** Connects now. The answer is written as JSON; it throws a {@link dev.eden.api.problem.Problem} where the database does not answer. */
    public interface Checker {
        Object check(Endpoint endpoint);
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.ADMIN)
    @Answers(value = 201, problems = ErrorCode.ENDPOINT_EXISTS)
    public Response create(byte[] body, @Context ContainerRequestContext request) {
        EndpointView created = endpoints.create(EndpointRequests.read(body, null), Caller.actor(request));
        return Response.created(URI.create("/api/v1/endpoints/" + created.id()))
                .entity(created)
                .build();
    }

    @GET
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.INVALID_PARAMETER)
    public Map<String, @Nullable Object> list(
            @QueryParam("after") @Nullable String after, @QueryParam("limit") @Nullable String limit) {
        return Listing.of("endpoints", limit, count -> endpoints.list(Listing.after(after), count), EndpointView::id);
    }

    @GET
    @Path("{id}")
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.ENDPOINT_NOT_FOUND)
    public EndpointView get(@PathParam("id") String id) {
        return endpoints.get(id);
    }

    @PUT
    @Path("{id}")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.ADMIN)
    @Answers(problems = {ErrorCode.ENDPOINT_NOT_FOUND, ErrorCode.ENDPOINT_IN_USE})
    public EndpointView replace(@PathParam("id") String id, byte[] body, @Context ContainerRequestContext request) {
        endpoints.get(id);
        return endpoints.replace(EndpointRequests.read(body, id), Caller.actor(request));
    }

    @DELETE
    @Path("{id}")
    @Allow(Role.ADMIN)
    @Answers(
            value = 204,
            problems = {ErrorCode.ENDPOINT_NOT_FOUND, ErrorCode.ENDPOINT_IN_USE})
    public Response delete(@PathParam("id") String id, @Context ContainerRequestContext request) {
        endpoints.delete(id, Caller.actor(request));
        return Response.noContent().build();
    }

    @POST
    @Path("{id}/check")
    @Allow(Role.OPERATOR)
    @Answers(
            problems = {
                ErrorCode.ENDPOINT_NOT_FOUND,
                ErrorCode.ENDPOINT_UNREACHABLE,
                ErrorCode.ENDPOINT_PLAIN_REFUSED,
                ErrorCode.ENDPOINT_NOT_ADMITTED,
                ErrorCode.ENDPOINT_LOGIN_REFUSED,
                ErrorCode.ENDPOINT_DATABASE_MISSING,
                ErrorCode.ENDPOINT_FULL
            })
    public Object check(@PathParam("id") String id) {
        endpoints.get(id);
        return checker.check(endpoints.endpoint(id));
    }
}
