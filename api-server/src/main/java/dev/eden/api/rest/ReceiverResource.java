package dev.eden.api.rest;

import dev.eden.api.notify.Notifier;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Who may be told of migrations. Only the configuration says where they are; nobody is told that here. */
@Path("/api/v1/receivers")
@Produces(MediaType.APPLICATION_JSON)
public final class ReceiverResource {
    private final Notifier notifier;

    public ReceiverResource(Notifier notifier) {
        this.notifier = notifier;
    }

    /** One of those that this server has. */
    public record Named(String id) {}

    @GET
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.INVALID_PARAMETER)
    public Map<String, @Nullable Object> list(
            @QueryParam("after") @Nullable String after, @QueryParam("limit") @Nullable String limit) {
        String last = Listing.after(after);
        return Listing.of(
                "receivers",
                limit,
                count -> notifier.names().stream()
                        .sorted()
                        .filter(name -> name.compareTo(last) > 0)
                        .limit(count)
                        .map(Named::new)
                        .toList(),
                Named::id);
    }

    /** Whether it hears: sends it something of no migration, once. */
    @POST
    @Path("{id}/test")
    @Allow(Role.OPERATOR)
    @Answers(problems = ErrorCode.RECEIVER_NOT_FOUND)
    public Notifier.Trial test(@PathParam("id") String id, @Context ContainerRequestContext request) {
        return notifier.test(id, Caller.actor(request))
                .orElseThrow(() -> new Problem(ErrorCode.RECEIVER_NOT_FOUND, "there is no receiver " + id));
    }
}
