package dev.eden.api.rest;

import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;
import org.glassfish.jersey.server.ChunkedOutput;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A migration's audit log: as JSON, page by page, or live as server-sent events (WHATWG HTML §9.2). A stream goes on after
 * {@code Last-Event-ID} and ends after the migration has ended, or once the token that opened it is no longer good.
 */
@Path("/api/v1/migrations/{id}/events")
public final class MigrationEventsResource implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(MigrationEventsResource.class);
    private static final int STREAMS = 200;
    private static final int PAGE = 100;
    private static final Duration LOOK = Duration.ofMillis(250);

    /** A stream says something at least this often: what stands between may wait a little longer before it gives a silent one up. */
    public static final Duration SILENCE = Duration.ofSeconds(5);

    private final MigrationStore migrations;
    private final AuditLog audit;
    private final Predicate<UUID> good;
    private final Semaphore streams = new Semaphore(STREAMS);
    private volatile boolean closed;

    /** {@code good}: whether a token still is; asked as often as a stream has to say something. */
    public MigrationEventsResource(MigrationStore migrations, AuditLog audit, Predicate<UUID> good) {
        this.migrations = migrations;
        this.audit = audit;
        this.good = good;
    }

    /** Ends all streams. */
    @Override
    public void close() {
        closed = true;
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @Allow(Role.VIEWER)
    @Answers(problems = {ErrorCode.MIGRATION_NOT_FOUND, ErrorCode.INVALID_PARAMETER})
    public Map<String, @Nullable Object> events(
            @PathParam("id") String id,
            @QueryParam("after") @Nullable String after,
            @QueryParam("limit") @Nullable String limit) {
        migrations.get(id);
        long from = position("after", after);
        return Listing.of("events", limit, count -> audit.events(id, from, count), AuditLog.Event::id);
    }

    @GET
    @Produces("text/event-stream;qs=0.5") // a client that takes anything gets JSON
    @Allow(Role.VIEWER)
    @Answers(problems = {ErrorCode.MIGRATION_NOT_FOUND, ErrorCode.INVALID_PARAMETER, ErrorCode.TOO_MANY_STREAMS})
    public Response stream(
            @PathParam("id") String id,
            @HeaderParam("Last-Event-ID") @Nullable String lastEventId,
            @QueryParam("after") @Nullable String after,
            @Context ContainerRequestContext request) {
        migrations.get(id);
        long from = lastEventId == null ? position("after", after) : position("Last-Event-ID", lastEventId);
        if (request.getMethod().equals(HttpMethod.HEAD)) {
            return Response.ok().type(MediaType.SERVER_SENT_EVENTS).build();
        }
        if (!streams.tryAcquire()) {
            throw new Problem(ErrorCode.TOO_MANY_STREAMS, "200 clients follow events already");
        }
        // Not a StreamingOutput: Jersey holds back what that flushes, and the headers, until 8 KiB are there.
        ChunkedOutput<String> body = new ChunkedOutput<>(String.class);
        UUID token = Caller.identity(request).id();
        Thread.ofVirtual().name("events of " + id).start(() -> send(id, from, token, body));
        return Response.ok(body, MediaType.SERVER_SENT_EVENTS)
                .header("Cache-Control", "no-store")
                .header("X-Accel-Buffering", "no")
                .build();
    }

    private void send(String id, long from, UUID token, ChunkedOutput<String> output) {
        try (output) {
            follow(id, from, token, output);
        } catch (IOException e) {
            LOGGER.atDebug().addKeyValue("migration", id).log("a client left the stream of events");
        } catch (RuntimeException e) {
            // The client comes back with Last-Event-ID.
            LOGGER.atWarn()
                    .addKeyValue("migration", id)
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("a stream of events ended early");
        } finally {
            streams.release();
        }
    }

    private void follow(String id, long from, UUID token, ChunkedOutput<String> output) throws IOException {
        output.write(": events of migration " + id + "\n\n");
        long last = from;
        long heardAt = System.nanoTime();
        long admittedAt = heardAt;
        while (!closed) {
            if (System.nanoTime() - admittedAt > SILENCE.toNanos()) {
                if (!good.test(token)) {
                    // Without an end event: whoever follows comes back and is told 401.
                    return;
                }
                admittedAt = System.nanoTime();
            }
            // Ended is asked before events are read, so that the last event is not missed.
            boolean ended = migrations.get(id).ended();
            List<AuditLog.Event> events = audit.events(id, last, PAGE);
            for (AuditLog.Event event : events) {
                output.write("id: " + event.id() + "\nevent: " + line(event.event()) + "\ndata: " + Json.write(event)
                        + "\n\n");
                last = event.id();
                heardAt = System.nanoTime();
            }
            if (events.isEmpty() && ended) {
                output.write("event: end\ndata: {}\n\n");
                return;
            }
            if (System.nanoTime() - heardAt > SILENCE.toNanos()) {
                // Finds out that the client has gone.
                output.write(":\n\n");
                heardAt = System.nanoTime();
            }
            try {
                Thread.sleep(events.size() == PAGE ? Duration.ZERO : LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static String line(String event) {
        return event.replace('\n', ' ').replace('\r', ' ');
    }

    static long position(String name, @Nullable String text) {
        if (text == null || text.isEmpty()) {
            return 0;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw MigrationResource.badParameter(name, "must be the id of an event");
        }
    }
}
