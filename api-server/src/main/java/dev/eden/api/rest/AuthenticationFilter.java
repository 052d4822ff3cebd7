package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.TokenStore;
import jakarta.annotation.Priority;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code Authorization: Bearer TOKEN} (RFC 6750) on every path, existing or not. */
@PreMatching
@Priority(Priorities.AUTHENTICATION)
final class AuthenticationFilter implements ContainerRequestFilter {
    private static final int MAX_TOKEN = 512;

    private final TokenStore tokens;
    private final FailureLimiter limiter;
    private final ClientAddress clients;

    @Context
    private @Nullable HttpServletRequest servletRequest;

    AuthenticationFilter(TokenStore tokens, FailureLimiter limiter, ClientAddress clients) {
        this.tokens = tokens;
        this.limiter = limiter;
        this.clients = clients;
    }

    @Override
    public void filter(ContainerRequestContext request) {
        HttpServletRequest servlet = servletRequest;
        String address = servlet == null
                ? "?"
                : clients.of(
                        servlet.getRemoteAddr(), request.getHeaders().getOrDefault(ClientAddress.HEADER, List.of()));
        long blocked = limiter.blockedSeconds(address);
        if (blocked > 0) {
            throw new Problem(ErrorCode.TOO_MANY_FAILURES, "too many failed logins").with("retry_after", blocked);
        }
        Optional<String> token = bearer(request.getHeaderString(HttpHeaders.AUTHORIZATION));
        if (token.isEmpty()) {
            throw new Problem(ErrorCode.UNAUTHENTICATED, "the request has no bearer token");
        }
        TokenStore.Identity identity = tokens.authenticate(token.get()).orElseThrow(() -> {
            limiter.failed(address);
            return new Problem(ErrorCode.UNAUTHENTICATED, "the token is unknown, expired or revoked");
        });
        request.setProperty(Caller.IDENTITY, identity);
    }

    private static Optional<String> bearer(@Nullable String header) {
        if (header == null || header.length() > MAX_TOKEN || !header.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return Optional.empty();
        }
        String token = header.substring(7).strip();
        return token.isEmpty() ? Optional.empty() : Optional.of(token);
    }
}
