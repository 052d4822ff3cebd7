package dev.eden.proxy.postgres;

import dev.eden.proxy.Secret;

/** What the proxy can show a server to become a user. None of them shows itself in a log. */
sealed interface Credential {
    /** Nothing: the server must trust. */
    record None() implements Credential {}

    /**
     * The clear text, of Eden's own and of configured logins.
     *
     * @param claimed what a client says, which nobody has looked at yet: a server that lets in without asking has proved nothing
     */
    record Password(Secret secret, boolean claimed) implements Credential {
        Password(Secret secret) {
            this(secret, false);
        }
    }

    /** The hash a server stores for {@code md5}, which is all that its challenge needs. */
    record Md5(Secret hash) implements Credential {}

    /** A SCRAM verifier and the key of a client that proved itself against it; good where a server stores the identical verifier. */
    record Keys(Scram.Verifier verifier, byte[] clientKey) implements Credential {
        @Override
        public String toString() {
            return "‹redacted›";
        }
    }
}
