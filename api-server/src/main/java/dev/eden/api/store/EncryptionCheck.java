package dev.eden.api.store;

import dev.eden.api.problem.StartupException;
import org.jdbi.v3.core.Jdbi;

/** Notices at start that the key is not the one the store was written with. */
public final class EncryptionCheck {
    private EncryptionCheck() {}

    /** Throws {@link StartupException} for another key. */
    public static void verify(Jdbi jdbi, SecretCipher cipher) {
        byte[] stored = jdbi.inTransaction(handle -> {
            handle.createUpdate("INSERT INTO encryption_check (value) VALUES (:value) ON CONFLICT DO NOTHING")
                    .bind("value", cipher.seal(Sealed.CHECK, "eden"))
                    .execute();
            return handle.createQuery("SELECT value FROM encryption_check")
                    .map((row, _) -> row.getBytes("value"))
                    .one();
        });
        try {
            cipher.open(Sealed.CHECK, stored);
        } catch (SecretCipher.UnreadableSecretException e) {
            throw new StartupException(
                    "the encryption key is not the one this database was written with",
                    "give the former key: EDEN_ENCRYPTION_KEY, or encryption.key in the data directory");
        }
    }
}
