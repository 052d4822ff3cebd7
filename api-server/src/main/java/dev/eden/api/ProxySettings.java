package dev.eden.api;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.PemPair;
import dev.eden.proxy.PostgresProxyConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the proxies of a process are told beside their interlay; those of a Redis use none of it.
 *
 * @param tls what clients are shown; null: they connect without TLS
 * @param serverAuthorities who signs servers' certificates; null: whom the JDK trusts
 * @param trusted users that need no password
 */
public record ProxySettings(
        PostgresProxyConfig.@Nullable Tls tls, @Nullable Path serverAuthorities, Set<String> trusted) {
    /** No TLS towards clients, the JDK's authorities, nobody without a password. */
    public static final ProxySettings NONE = new ProxySettings(null, null, Set.of());

    public ProxySettings {
        trusted = Set.copyOf(trusted);
    }

    PostgresProxyConfig on(PostgresProxyConfig config) {
        return config.withTls(tls).withServerAuthorities(serverAuthorities).withTrusted(trusted);
    }

    /** Throws {@link StartupException} where a file can't be used. */
    void check() {
        checkCertificate();
        checkAuthorities();
    }

    /** Throws {@link StartupException} where clients can't be shown the certificate. */
    public void checkCertificate() {
        PostgresProxyConfig.Tls files = tls;
        if (files != null) {
            try {
                PemPair.read(files.certificateChain(), files.privateKey());
            } catch (PemPair.UnusableException e) {
                throw new StartupException(
                        "the proxies' TLS file " + e.getMessage(),
                        "correct proxy.tls_cert_file (PEM chain) and proxy.tls_key_file (PEM, PKCS #8)");
            }
        }
    }

    /** Throws {@link StartupException} where the authorities' file can't be read; a proxy would find out only with its first connection. */
    public void checkAuthorities() {
        Path file = serverAuthorities;
        if (file != null) {
            try (InputStream in = Files.newInputStream(file)) {
                if (CertificateFactory.getInstance("X.509")
                        .generateCertificates(in)
                        .isEmpty()) {
                    throw unusable(file, "holds no certificate");
                }
            } catch (IOException e) {
                throw unusable(file, "can't be read");
            } catch (CertificateException e) {
                throw unusable(file, "can't be read as PEM");
            }
        }
    }

    private static StartupException unusable(Path file, String why) {
        return new StartupException(
                "the servers' authorities' file " + file + " " + why, "correct proxy.server_ca_file (PEM)");
    }
}
