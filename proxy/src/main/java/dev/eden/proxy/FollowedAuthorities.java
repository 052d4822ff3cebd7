package dev.eden.proxy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Provider;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The JDK's authorities and those that a file holds now. A file that changes is seen with the first connection a second later, as {@link ClientTls} sees
 * its own; one that can't be read leaves what was trusted as it was. Contexts are made once and kept for long, so it is what they ask that follows; of a
 * server whose TLS session is resumed they ask nothing. Two that look at once read the same file twice.
 */
final class FollowedAuthorities extends X509ExtendedTrustManager {
    private static final Logger LOGGER = LoggerFactory.getLogger(FollowedAuthorities.class);
    private static final long CHECK = Duration.ofSeconds(1).toNanos();

    private final Path pem;
    private final String algorithm;
    private final Provider jdk;
    private final X509Certificate[] known;
    private volatile X509ExtendedTrustManager trusted;
    /** What was looked at last, taken or not: each change is judged once. */
    private volatile byte[] seen;

    private volatile long checkedAt;

    /** {@code jdk}: whose trust managers these are, and whose defaults are trusted beside the file. */
    FollowedAuthorities(Path pem, String algorithm, Provider jdk)
            throws Authorities.UnusableException, GeneralSecurityException {
        this.pem = pem;
        this.algorithm = algorithm;
        this.jdk = jdk;
        this.known = manager(null).getAcceptedIssuers();
        this.seen = PemPair.content(pem);
        this.trusted = load();
        this.checkedAt = System.nanoTime();
    }

    static Collection<? extends Certificate> read(Path pem) throws Authorities.UnusableException {
        try {
            Collection<? extends Certificate> found = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(pem)));
            if (found.isEmpty()) {
                throw new Authorities.UnusableException(pem, "holds no certificate");
            }
            return found;
        } catch (Authorities.UnusableException e) {
            throw e;
        } catch (IOException e) {
            throw new Authorities.UnusableException(pem, "can't be read");
        } catch (CertificateException e) {
            throw new Authorities.UnusableException(pem, "can't be read as PEM");
        }
    }

    private X509ExtendedTrustManager current() {
        if (System.nanoTime() - checkedAt > CHECK) {
            checkedAt = System.nanoTime();
            byte[] content = PemPair.content(pem);
            if (!Arrays.equals(content, seen)) {
                seen = content;
                try {
                    trusted = load();
                    LOGGER.atInfo().log("the authorities of the changed file {} are trusted", pem);
                } catch (IOException | GeneralSecurityException e) {
                    LOGGER.atError()
                            .log(
                                    "the changed file of authorities can't be used, the former ones are trusted: {}",
                                    e.getMessage());
                }
            }
        }
        return trusted;
    }

    private X509ExtendedTrustManager load() throws Authorities.UnusableException, GeneralSecurityException {
        List<Certificate> all = new ArrayList<>(read(pem));
        all.addAll(List.of(known));
        KeyStore store = KeyStore.getInstance("PKCS12");
        try {
            store.load(null, null);
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
        for (int i = 0; i < all.size(); i++) {
            store.setCertificateEntry("authority-" + i, all.get(i));
        }
        return manager(store);
    }

    private X509ExtendedTrustManager manager(@Nullable KeyStore store) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(algorithm, jdk);
        factory.init(store);
        for (TrustManager manager : factory.getTrustManagers()) {
            if (manager instanceof X509ExtendedTrustManager extended) {
                return extended;
            }
        }
        throw new GeneralSecurityException("the JDK has no trust manager of " + algorithm);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return current().getAcceptedIssuers();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
        current().checkServerTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        current().checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        current().checkServerTrusted(chain, type, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
        current().checkClientTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        current().checkClientTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        current().checkClientTrusted(chain, type, engine);
    }
}
