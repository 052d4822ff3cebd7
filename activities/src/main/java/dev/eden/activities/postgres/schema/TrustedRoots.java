package dev.eden.activities.postgres.schema;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** The authorities that this process trusts by default, as PostgreSQL's own programs want them: those know a file, or from 16 the system's. */
final class TrustedRoots {
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private TrustedRoots() {}

    static void write(Path file) throws IOException {
        StringBuilder all = new StringBuilder();
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            @Nullable KeyStore theDefault = null;
            factory.init(theDefault);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509TrustManager roots) {
                    for (X509Certificate root : roots.getAcceptedIssuers()) {
                        all.append("-----BEGIN CERTIFICATE-----\n")
                                .append(LINES.encodeToString(root.getEncoded()))
                                .append("\n-----END CERTIFICATE-----\n");
                    }
                }
            }
        } catch (GeneralSecurityException e) {
            throw new IOException("the trusted authorities cannot be read", e);
        }
        Files.writeString(file, all, StandardCharsets.US_ASCII);
    }
}
