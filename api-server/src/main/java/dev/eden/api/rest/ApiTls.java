package dev.eden.api.rest;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.PemPair;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * The API's certificate chain and its key, both PEM; the key is an unencrypted PKCS #8 one (RSA, EC or EdDSA).
 */
public record ApiTls(Path certificate, Path key) {
    private static final String ALIAS = "eden";
    /** Of a store that never leaves this process. */
    static final String PASSWORD = "in-memory";

    /** When the certificate that a store of {@link #store} holds ends. */
    static Instant end(KeyStore store) {
        try {
            return ((X509Certificate) store.getCertificate(ALIAS)).getNotAfter().toInstant();
        } catch (KeyStoreException e) {
            throw new IllegalStateException("a store of this process can't be read", e);
        }
    }

    /** Throws {@link StartupException} where they can't be served. */
    public void check() {
        store();
    }

    /** Both, held against each other. Throws {@link StartupException} where they can't be served. */
    KeyStore store() {
        try {
            PemPair pair = PemPair.read(certificate, key);
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry(ALIAS, pair.key(), PASSWORD.toCharArray(), pair.chain());
            return store;
        } catch (PemPair.UnusableException e) {
            throw new StartupException(
                    "the API's TLS file " + e.getMessage(),
                    "correct server.api_cert_file (PEM chain) and server.api_key_file (PEM, PKCS #8)");
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("no store can be made in memory", e);
        }
    }
}
