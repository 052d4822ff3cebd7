package dev.eden.proxy.redis;

import dev.eden.proxy.Secret;
import org.jspecify.annotations.Nullable;

/** Who a backend connection logs in as. */
sealed interface Identity {
    /** A client that has not authenticated: the endpoint's {@code clientLogin}, where there is one. */
    record Anonymous() implements Identity {}

    /** A client's own credentials, a character for each byte, which need not be UTF-8; {@code user} null for the one-argument AUTH. */
    record Named(@Nullable String user, Secret password) implements Identity {}

    /** Eden's own proxy user. */
    record Eden() implements Identity {}

    Identity ANONYMOUS = new Anonymous();
    Identity EDEN = new Eden();
}
