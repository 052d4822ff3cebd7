package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.store.InterlayStore;
import dev.eden.api.store.InterlayStore.Interlay;
import dev.eden.api.store.RouteReports;
import dev.eden.api.store.TokenStore.Role;
import dev.eden.proxy.TrafficReport;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
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
    @Answers(
            value = 201,
            problems = {ErrorCode.INTERLAY_EXISTS, ErrorCode.ENDPOINT_NOT_FOUND, ErrorCode.ENDPOINT_IN_MIGRATION})
    public Response create(byte[] body, @Context ContainerRequestContext request) {
        Fields fields = Fields.of(body, false);
        String id = fields.requiredId("id");
        String endpoint = fields.requiredId("endpoint");
        String listen = fields.text("listen", 300, "");
        if (!listen.isEmpty() && !ListenAddress.valid(listen)) {
            fields.error("listen", "must be HOST:PORT");
        }
        boolean tls = fields.bool("tls", false);
        int pool = (int) fields.integer("pool", 0, 1, 10_000);
        String pooling = fields.oneOf("pooling", "", "transaction", "session");
        fields.done();
        Interlay created = interlays.create(
                id,
                endpoint,
                listen.isEmpty() ? null : listen,
                tls,
                pool == 0 ? null : (Integer) pool,
                pooling.isEmpty() ? null : pooling,
                Caller.actor(request));
        return Response.created(URI.create("/api/v1/interlays/" + id))
                .entity(created)
                .build();
    }

    @GET
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.INVALID_PARAMETER)
    public Map<String, @Nullable Object> list(
            @QueryParam("after") @Nullable String after, @QueryParam("limit") @Nullable String limit) {
        return Listing.of("interlays", limit, count -> interlays.list(Listing.after(after), count), Interlay::id);
    }

    @GET
    @Path("{id}")
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.INTERLAY_NOT_FOUND)
    public Interlay get(@PathParam("id") String id) {
        return interlays.get(id);
    }

    @PATCH
    @Path("{id}")
    @Consumes(MediaType.APPLICATION_JSON)
    @Allow(Role.ADMIN)
    @Answers(problems = ErrorCode.INTERLAY_NOT_FOUND)
    public Interlay change(@PathParam("id") String id, byte[] body, @Context ContainerRequestContext request) {
        Fields fields = Fields.of(body, false);
        String pooling = fields.oneOf("pooling", null, "transaction", "session");
        fields.done();
        return interlays.changePooling(id, pooling, Caller.actor(request));
    }

    @DELETE
    @Path("{id}")
    @Allow(Role.ADMIN)
    @Answers(
            value = 204,
            problems = {ErrorCode.INTERLAY_NOT_FOUND, ErrorCode.INTERLAY_IN_USE})
    public Response delete(@PathParam("id") String id, @Context ContainerRequestContext request) {
        interlays.delete(id, Caller.actor(request));
        return Response.noContent().build();
    }

    @GET
    @Path("{id}/traffic")
    @Allow(Role.VIEWER)
    @Answers(problems = ErrorCode.INTERLAY_NOT_FOUND)
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
        answer.put("active", total(proxies, TrafficReport::active));
        answer.put("standby", total(proxies, TrafficReport::standby));
        answer.put("proxies", proxies);
        return answer;
    }

    /** @param p50Millis,p99Millis of the slowest proxy */
    record SideTotal(long operations, long errors, double p50Millis, double p99Millis) {}

    private static SideTotal total(
            List<RouteReports.ProxyTraffic> proxies, Function<TrafficReport, TrafficReport.Side> side) {
        SideTotal total = new SideTotal(0, 0, 0, 0);
        for (RouteReports.ProxyTraffic proxy : proxies) {
            if (proxy.alive()) {
                TrafficReport.Side one = side.apply(proxy.report());
                total = new SideTotal(
                        total.operations() + one.operations(),
                        total.errors() + one.errors(),
                        Math.max(total.p50Millis(), one.p50Millis()),
                        Math.max(total.p99Millis(), one.p99Millis()));
            }
        }
        return total;
    }
}
