package dev.eden.proxy.postgres;

import org.jspecify.annotations.Nullable;

/** How a user proves itself to the proxy, and what the proxy then has to show to servers. */
sealed interface Account {
    /** Proves nothing. */
    record Trusted() implements Account {}

    record ScramVerifier(Scram.Verifier verifier, @Nullable Credential known) implements Account {}

    record Md5Verifier(Credential.Md5 stored) implements Account {}

    /** There is no such login: whatever is shown is wrong. {@code iterations}: of the verifiers that its server makes. */
    record Unknown(int iterations) implements Account {}

    /** Nobody can be asked now: that is all there is to say. */
    record Refused(ErrorMessage why) implements Account {}

    /** The user may not log in, and no fence is the reason: who has proved to be it by {@code proof} hears so. */
    record Barred(Account proof, ErrorMessage why) implements Account {}

    /** Nobody can say how this user proves itself. */
    record Unreadable(String why) implements Account {}
}
