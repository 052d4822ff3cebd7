package dev.eden.proxy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a server shows over TLS: a chain, its own certificate first, and that one's key, held against each other. */
public final class PemPair {
    private static final Pattern PKCS8 =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

    private final X509Certificate[] chain;
    private final PrivateKey key;

    private PemPair(X509Certificate[] chain, PrivateKey key) {
        this.chain = chain;
        this.key = key;
    }

    /** The message names the file and says what is wrong with it, never what it holds. */
    public static final class UnusableException extends IOException {
        private UnusableException(Path file, String why) {
            super(file + " " + why);
        }
    }

    /** {@code certificates}: a PEM chain; {@code key}: an unencrypted PKCS #8 key (RSA, EC or EdDSA) as PEM. */
    public static PemPair read(Path certificates, Path key) throws UnusableException {
        try {
            X509Certificate[] chain = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(bytes(certificates)))
                    .toArray(X509Certificate[]::new);
            if (chain.length == 0) {
                throw new UnusableException(certificates, "holds no certificate");
            }
            PrivateKey parsed = parse(key, new String(bytes(key), StandardCharsets.US_ASCII));
            if (!fits(parsed, chain[0].getPublicKey())) {
                throw new UnusableException(key, "is not the certificate's key");
            }
            return new PemPair(chain, parsed);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new UnusableException(certificates, "can't be read as PEM");
        }
    }

    public X509Certificate[] chain() {
        return chain.clone();
    }

    public PrivateKey key() {
        return key;
    }

    /**
     * A hash over files, by which a change is seen: where they are links, as in Kubernetes, or moved into place, their times say
     * nothing. A file that can't be read counts as empty, and is then refused by its name.
     */
    public static byte[] content(Path... files) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files) {
                try {
                    digest.update(Files.readAllBytes(file));
                } catch (IOException e) {
                    digest.update((byte) 0);
                }
                digest.update((byte) 1);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is not available", e);
        }
    }

    private static PrivateKey parse(Path file, String pem) throws UnusableException, GeneralSecurityException {
        Matcher matcher = PKCS8.matcher(pem);
        if (!matcher.find()) {
            throw new UnusableException(
                    file, "holds no unencrypted PKCS #8 key (openssl pkcs8 -topk8 -nocrypt makes one)");
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
        throw new UnusableException(file, "holds a key that is neither RSA nor EC nor EdDSA");
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

    private static byte[] bytes(Path file) throws UnusableException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UnusableException(file, "can't be read");
        }
    }
}
