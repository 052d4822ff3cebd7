package dev.eden.api.rest;

import dev.eden.api.config.Networks;
import dev.eden.api.store.IdempotencyStore;
import dev.eden.api.store.TokenStore;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The filters every request of the API passes, in order: headers (outwards), alias, origin, authentication, limits, body, role, query, idempotency. */
public final class Security {
    private static final int FAILURES = 20;
    private static final Duration WINDOW = Duration.ofMinutes(1);

    private Security() {}

    /**
     * @param perSecond,burst requests of one token
     * @param atOnce requests of all together, streams left out
     */
    public record Limits(int perSecond, int burst, int atOnce) {
        public static final Limits DEFAULT = new Limits(200, 1_000, 256);
    }

    /** {@code temporalUi}: whose pages may ask the codec; {@code trusted}: balancers, which say whom they speak for. */
    public static List<Object> filters(
            TokenStore tokens,
            IdempotencyStore idempotency,
            Limits limits,
            @Nullable String temporalUi,
            Networks trusted) {
        LimitFilter places =
                new LimitFilter(new RateLimiter(limits.perSecond(), limits.burst(), System::nanoTime), limits.atOnce());
        return List.of(
                new HeadersFilter(),
                new AliasFilter(),
                new CodecOriginFilter(temporalUi),
                new AuthenticationFilter(
                        tokens, new FailureLimiter(FAILURES, WINDOW, System::nanoTime), new ClientAddress(trusted)),
                places,
                new PlaceFilter(places),
                new BodyFilter(),
                new RoleFilter(),
                new QueryParameters(),
                new IdempotencyFilter(idempotency));
    }
}
