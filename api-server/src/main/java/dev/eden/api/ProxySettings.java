package dev.eden.api;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.PemPair;
import dev.eden.proxy.PostgresProxyConfig;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the proxies of a process are told beside their interlay; those of a Redis use none of it.
 *
 * @param tls what clients are shown; null: they connect without TLS
 * @param trusted users that need no password
 */
public record ProxySettings(PostgresProxyConfig.@Nullable Tls tls, Set<String> trusted) {
    /** No TLS towards clients, nobody without a password. */
    public static final ProxySettings NONE = new ProxySettings(null, Set.of());

    public ProxySettings {
        trusted = Set.copyOf(trusted);
    }

    PostgresProxyConfig on(PostgresProxyConfig config) {
        return config.withTls(tls).withTrusted(trusted);
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
}
