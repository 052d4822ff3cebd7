package dev.eden.proxy;

import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.security.spec.PSSParameterSpec;
import java.util.Locale;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** {@code tls-server-end-point} (RFC 5929, section 4.1): what both ends of a TLS connection make of the server's certificate. */
public final class ChannelBinding {
    private static final String PSS = "RSASSA-PSS";

    private ChannelBinding() {}

    /** Of the certificate that a server has shown; empty too where its hash is none that the JDK knows: who could not bind logs in without. */
    public static byte[] ofPeer(SSLSession session) {
        try {
            return session.getPeerCertificates()[0] instanceof X509Certificate shown ? of(shown) : new byte[0];
        } catch (GeneralSecurityException | SSLPeerUnverifiedException e) {
            return new byte[0];
        }
    }

    /** The certificate's hash, by the one that it is signed with; empty where its signature has no such hash (EdDSA): then nothing can be bound. */
    public static byte[] of(X509Certificate certificate) throws GeneralSecurityException {
        String hash = hash(certificate);
        if (hash == null) {
            return new byte[0];
        }
        boolean weak = hash.equals("MD5") || hash.equals("SHA1") || hash.equals("SHA-1");
        return MessageDigest.getInstance(weak ? "SHA-256" : hash).digest(certificate.getEncoded());
    }

    private static @Nullable String hash(X509Certificate certificate) throws GeneralSecurityException {
        String algorithm = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
        if (algorithm.equals(PSS)) {
            return ofPss(certificate.getSigAlgParams());
        }
        int with = algorithm.indexOf("WITH");
        if (with < 0) {
            return null;
        }
        String hash = algorithm.substring(0, with);
        return hash.startsWith("SHA") && !hash.equals("SHA1") && hash.indexOf('-') < 0
                ? "SHA-" + hash.substring("SHA".length())
                : hash;
    }

    /** Its name does not say it; without parameters it is SHA-1 (RFC 4055). */
    private static String ofPss(byte @Nullable [] parameters) throws GeneralSecurityException {
        if (parameters == null) {
            return "SHA-1";
        }
        AlgorithmParameters read = AlgorithmParameters.getInstance(PSS);
        try {
            read.init(parameters);
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
        return read.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm();
    }
}
