package dev.eden.proxy.postgres;

import dev.eden.proxy.Secret;
import java.security.SecureRandom;

/** What a server stores of a password, {@code SCRAM-SHA-256$…}, for those who keep passwords for proxies. */
public final class StoredVerifier {
    private static final int SALT_BYTES = 16;

    private StoredVerifier() {}

    /** With a new salt each time. Takes milliseconds. */
    public static Secret of(Secret password) {
        byte[] salt = new byte[SALT_BYTES];
        new SecureRandom().nextBytes(salt);
        return new Secret(
                Scram.Verifier.of(password.reveal(), salt, Scram.ITERATIONS).stored());
    }
}
