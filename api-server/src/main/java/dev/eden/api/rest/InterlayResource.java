package dev.eden.api.rest;

import dev.eden.api.store.InterlayStore;
import dev.eden.api.store.InterlayStore.Interlay;
import dev.eden.api.store.RouteReports;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The named fronts of endpoints. Proxies (in the server or {@code eden proxy}) join them by name. */
@Path("/api/v1/interlays")
@Produces(MediaType.APPLICATION_JSON)
public final class InterlayResource {
    private final InterlayStore interlays;
    private final RouteReports reports;

    public InterlayResource(InterlayStore interlays, RouteReports reports) {
        this.interlays = interlays;
        this.reports = reports;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.ADMIN)
    public Response create(byte[] body, @Context ContainerRequestContext request) {
        Fields fields = Fields.of(body, false);
        String id = fields.requiredId("id");
        String endpoint = fields.requiredId("endpoint");
        String listen = fields.text("listen", 300, "");
        if (!listen.isEmpty() && !ListenAddress.valid(listen)) {
            fields.error("listen", "must be HOST:PORT");
        }
        if (fields.bool("tls", false)) {
            fields.error("tls", "TLS towards clients is not supported by this version yet");
        }
        int pool = (int) fields.integer("pool", 0, 1, 10_000);
        fields.done();
        Interlay created = interlays.create(
                id,
                endpoint,
                listen.isEmpty() ? null : listen,
                false,
                pool == 0 ? null : (Integer) pool,
                Caller.actor(request));
        return Response.created(URI.create("/api/v1/interlays/" + id))
                .entity(created)
                .build();
    }

    @GET
    @Allow(Role.VIEWER)
    public Map<String, List<Interlay>> list() {
        return Map.of("interlays", interlays.list());
    }

    @GET
    @Path("{id}")
    @Allow(Role.VIEWER)
    public Interlay get(@PathParam("id") String id) {
        return interlays.get(id);
    }

    @DELETE
    @Path("{id}")
    @Allow(Role.ADMIN)
    public Response delete(@PathParam("id") String id, @Context ContainerRequestContext request) {
        interlays.delete(id, Caller.actor(request));
        return Response.noContent().build();
    }

    @GET
    @Path("{id}/traffic")
    @Allow(Role.VIEWER)
    public Map<String, @Nullable Object> traffic(@PathParam("id") String id) {
        Interlay interlay = interlays.get(id);
        var proxies = reports.traffic(id);
        Map<String, @Nullable Object> answer = new LinkedHashMap<>();
        answer.put("interlay", interlay.id());
        answer.put("endpoint", interlay.endpoint());
        answer.put(
                "connections",
                proxies.stream()
                        .filter(RouteReports.ProxyTraffic::alive)
                        .mapToLong(p -> p.report().connections())
                        .sum());
        answer.put("proxies", proxies);
        return answer;
    }
}
