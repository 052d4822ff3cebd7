package dev.eden.api.rest;

import dev.eden.api.store.IdempotencyStore;
import dev.eden.api.store.TokenStore;
import java.time.Duration;
import java.util.List;

/** The filters every request of the API passes, in order: alias, authentication, body, role, idempotency. */
public final class Security {
    private static final int FAILURES = 20;
    private static final Duration WINDOW = Duration.ofMinutes(1);

    private Security() {}

    public static List<Object> filters(TokenStore tokens, IdempotencyStore idempotency) {
        return List.of(
                new AliasFilter(),
                new AuthenticationFilter(tokens, new FailureLimiter(FAILURES, WINDOW, System::nanoTime)),
                new BodyFilter(),
                new RoleFilter(),
                new IdempotencyFilter(idempotency));
    }
}
