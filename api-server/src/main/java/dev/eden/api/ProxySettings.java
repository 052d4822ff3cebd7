package dev.eden.api;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.PemPair;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.proxy.TlsFiles;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the proxies of a process are told beside their interlay.
 *
 * @param tls what clients are shown: those of a PostgreSQL may then use TLS, those of a Redis must; null: they connect without
 * @param trusted users of a PostgreSQL that need no password
 */
public record ProxySettings(@Nullable TlsFiles tls, Set<String> trusted) {
    /** No TLS towards clients, nobody without a password. */
    public static final ProxySettings NONE = new ProxySettings(null, Set.of());

    public ProxySettings {
        trusted = Set.copyOf(trusted);
    }

    RedisProxyConfig on(RedisProxyConfig config) {
        return config.withTls(tls);
    }

    PostgresProxyConfig on(PostgresProxyConfig config) {
        return config.withTls(tls).withTrusted(trusted);
    }

    /** Throws {@link StartupException} where clients can't be shown the certificate. */
    public void checkCertificate() {
        TlsFiles files = tls;
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
