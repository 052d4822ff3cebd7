package dev.eden.api.rest;

import dev.eden.api.problem.StartupException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The API's certificate chain and its key, both PEM; the key is an unencrypted PKCS #8 one (RSA, EC or EdDSA).
 */
public record ApiTls(Path certificate, Path key) {
    private static final Pattern PKCS8 =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
    private static final String ALIAS = "eden";
    /** Of a store that never leaves this process. */
    static final String PASSWORD = "in-memory";

    /** {@code EDEN_API_CERT_FILE} and {@code EDEN_API_KEY_FILE}; null where neither is set. Throws {@link StartupException} for one alone. */
    public static @Nullable ApiTls fromEnvironment() {
        String certificate = System.getenv("EDEN_API_CERT_FILE");
        String key = System.getenv("EDEN_API_KEY_FILE");
        if (certificate == null && key == null) {
            return null;
        }
        if (certificate == null || key == null) {
            throw new StartupException(
                    "TLS for the API needs a certificate and its key",
                    "set both EDEN_API_CERT_FILE and EDEN_API_KEY_FILE, or neither");
        }
        return new ApiTls(Path.of(certificate), Path.of(key));
    }

    /** When the certificate that a store of {@link #store} holds ends. */
    static Instant end(KeyStore store) {
        try {
            return ((X509Certificate) store.getCertificate(ALIAS)).getNotAfter().toInstant();
        } catch (KeyStoreException e) {
            throw new IllegalStateException("a store of this process can't be read", e);
        }
    }

    /** Both, held against each other. Throws {@link StartupException} where they can't be served. */
    KeyStore store() {
        try {
            Certificate[] chain = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(read(certificate)))
                    .toArray(Certificate[]::new);
            if (chain.length == 0) {
                throw refused(certificate, "holds no certificate");
            }
            PrivateKey parsed = parse(new String(read(key), StandardCharsets.US_ASCII));
            if (!fits(parsed, chain[0].getPublicKey())) {
                throw refused(key, "is not the certificate's key");
            }
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry(ALIAS, parsed, PASSWORD.toCharArray(), chain);
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw refused(certificate, "can't be read as PEM");
        }
    }

    private PrivateKey parse(String pem) throws GeneralSecurityException {
        Matcher matcher = PKCS8.matcher(pem);
        if (!matcher.find()) {
            throw refused(key, "holds no unencrypted PKCS #8 key (openssl pkcs8 -topk8 -nocrypt makes one)");
        }
        PKCS8EncodedKeySpec spec =
                new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(matcher.group(1)));
        for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException e) {
                continue;
            }
        }
        throw refused(key, "holds a key that is neither RSA nor EC nor EdDSA");
    }

    /** Signs with the one and asks the other. */
    private static boolean fits(PrivateKey key, PublicKey certified) throws GeneralSecurityException {
        if (!key.getAlgorithm().equals(certified.getAlgorithm())) {
            return false;
        }
        Signature signature = Signature.getInstance(
                switch (key.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> key.getAlgorithm();
                });
        byte[] text = "eden".getBytes(StandardCharsets.US_ASCII);
        signature.initSign(key);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(certified);
        signature.update(text);
        return signature.verify(signed);
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw refused(file, "can't be read");
        }
    }

    private static StartupException refused(Path file, String why) {
        return new StartupException(
                "the API's TLS file " + file + " " + why,
                "correct EDEN_API_CERT_FILE (PEM chain) and EDEN_API_KEY_FILE (PEM, PKCS #8)");
    }
}
