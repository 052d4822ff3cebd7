package dev.eden.api;

import dev.eden.api.json.Json;
import dev.eden.api.store.SecretCipher;
import dev.eden.proxy.ForcedOpening;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;

/**
 * An operator's order to open an interlay on one side while the store is away. Tokens live in the store, so it is sealed with Eden's
 * encryption key instead: who holds that may read every password of Eden's anyway, and nobody else can make one.
 *
 * @param owner the endpoint that owns the writes
 */
public record ForceOpenOrder(String interlay, String owner, String actor, String reason, Instant at) {
    /** Where a process with a proxy takes it: on its port of metrics and health. */
    public static final String PATH = "/force-open";

    private static final String IDENTITY = "order/force-open";
    /** Clocks may differ by as much; older orders are somebody else's. */
    private static final Duration VALID = Duration.ofMinutes(2);

    /** Base64. */
    public String seal(SecretCipher cipher) {
        return Base64.getEncoder()
                .encodeToString(cipher.seal(
                        IDENTITY, Json.write(new Sealed(interlay, owner, actor, reason, at.toEpochMilli()))));
    }

    /** Throws {@link IllegalArgumentException}, its message for the one who asked, where it was not sealed with this key or not just now. */
    static ForceOpenOrder unseal(SecretCipher cipher, String sealed, Instant now) {
        Sealed order;
        try {
            byte[] bytes = Base64.getDecoder().decode(sealed.strip());
            order = Json.mapper().readValue(cipher.open(IDENTITY, bytes), Sealed.class);
        } catch (IllegalArgumentException | SecretCipher.UnreadableSecretException | java.io.IOException e) {
            throw new IllegalArgumentException("the order is not sealed with this process's encryption key");
        }
        Instant at = Instant.ofEpochMilli(order.at());
        if (Duration.between(at, now).abs().compareTo(VALID) > 0) {
            throw new IllegalArgumentException(
                    "the order was made at " + at + " and it is " + now + " here: give it again, and see the clocks");
        }
        return new ForceOpenOrder(order.interlay(), order.owner(), order.actor(), order.reason(), at);
    }

    ForcedOpening opening() {
        return new ForcedOpening(owner, actor, reason);
    }

    private record Sealed(String interlay, String owner, String actor, String reason, long at) {}
}
