package dev.eden.api.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.ErrorCode.Retry;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.IdempotencyStore;
import dev.eden.api.store.IdempotencyStore.Answer;
import dev.eden.api.store.RequestClaim;
import jakarta.annotation.Priority;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A mutation with an {@code Idempotency-Key} runs once; repeats get the first answer and {@code Idempotency-Replayed: true}. */
@Priority(Priorities.AUTHORIZATION + 100)
final class IdempotencyFilter implements ContainerRequestFilter, ContainerResponseFilter {
    private static final Logger LOGGER = LoggerFactory.getLogger(IdempotencyFilter.class);
    static final Set<String> MUTATIONS = Set.of("POST", "PUT", "PATCH", "DELETE");
    private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]{1,255}");
    private static final String CLAIMED = "dev.eden.idempotency";

    private final IdempotencyStore store;

    @Context
    private @Nullable ResourceInfo resource;

    IdempotencyFilter(IdempotencyStore store) {
        this.store = store;
    }

    @Override
    public void filter(ContainerRequestContext request) {
        RequestClaim.hold(null); // whatever this thread worked for before
        String key = request.getHeaderString(Caller.IDEMPOTENCY_KEY);
        if (key == null || !MUTATIONS.contains(request.getMethod())) {
            return;
        }
        refuseNotKept();
        if (!KEY.matcher(key).matches()) {
            throw new Problem(
                    ErrorCode.INVALID_PARAMETER,
                    "the Idempotency-Key is not right",
                    List.of(new FieldError(Caller.IDEMPOTENCY_KEY, "has 1 to 255 visible ASCII characters")));
        }
        UUID token = Caller.identity(request).id();
        String query = request.getUriInfo().getRequestUri().getRawQuery();
        String route = request.getMethod() + " /" + request.getUriInfo().getPath() + (query == null ? "" : "?" + query);
        Optional<Answer> first = store.claim(token, key, route, hash(BodyFilter.body(request)));
        if (first.isPresent()) {
            request.abortWith(replay(first.get()));
        } else {
            RequestClaim claim = new RequestClaim(token, key);
            request.setProperty(CLAIMED, claim);
            RequestClaim.hold(claim);
        }
    }

    private void refuseNotKept() {
        ResourceInfo matched = resource;
        if (matched != null && matched.getResourceMethod() != null) {
            NotKept why = matched.getResourceMethod().getAnnotation(NotKept.class);
            if (why != null) {
                throw new Problem(ErrorCode.BAD_REQUEST, why.value());
            }
        }
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        if (!(request.getProperty(CLAIMED) instanceof RequestClaim claimed)) {
            return;
        }
        // A filter that fails is run again, for the problem that its failure becomes.
        request.removeProperty(CLAIMED);
        RequestClaim.hold(null);
        try {
            keep(claimed, response);
        } catch (RuntimeException e) {
            // The answer is the client's all the same; a claim without one lapses after a minute.
            LOGGER.atWarn()
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("the answer to an Idempotency-Key could not be kept");
        }
    }

    private void keep(RequestClaim claimed, ContainerResponseContext response) {
        if (response.getStatus() >= 500 || mayHelpAgain(response.getEntity())) {
            store.forget(claimed.token(), claimed.key());
            return;
        }
        MediaType type = response.getMediaType();
        Object entity = response.getEntity();
        store.answered(
                claimed.token(),
                claimed.key(),
                new Answer(
                        response.getStatus(),
                        type == null ? null : type.toString(),
                        entity == null ? null : Json.write(entity),
                        response.getHeaderString(HttpHeaders.LOCATION)));
    }

    /** A problem that ends: the same request under the same key runs then, instead of getting the old refusal for a day. */
    private static boolean mayHelpAgain(@Nullable Object entity) {
        return entity instanceof ObjectNode document
                && document.path("type").asText().startsWith(ProblemDocument.TYPE)
                && !document.path("retry").asText().equals(ProblemDocument.retry(Retry.NEVER));
    }

    private static Response replay(Answer answer) {
        Response.ResponseBuilder builder = Response.status(answer.status()).header("Idempotency-Replayed", "true");
        if (answer.location() != null) {
            builder.location(URI.create(answer.location()));
        }
        @Nullable String body = answer.body();
        if (body != null) {
            builder.entity(Json.tree(body));
        }
        if (answer.mediaType() != null) {
            builder.type(answer.mediaType());
        }
        return builder.build();
    }

    private static byte[] hash(byte[] body) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(body);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is not available", e);
        }
    }
}
