package dev.eden.proxy.postgres;

import dev.eden.proxy.PostgresProxyConfig;
import io.netty.channel.Channel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the proxy shows to clients that want TLS. Files that change are read again within a few seconds; ones that cannot be read leave the certificate as it was. */
final class ClientTls {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClientTls.class);
    private static final long CHECK = Duration.ofSeconds(5).toNanos();
    static final String PROTOCOL = "postgresql";

    private final PostgresProxyConfig.@Nullable Tls config;
    private volatile @Nullable Loaded loaded;
    private volatile long checkedAt;

    /** @param binding tls-server-end-point (RFC 5929): the hash of the certificate */
    record Loaded(SslContext context, byte[] binding, FileTime changed) {}

    /** Throws {@link UncheckedIOException} when the files cannot be read. */
    ClientTls(PostgresProxyConfig.@Nullable Tls config) {
        this.config = config;
        if (config != null) {
            try {
                loaded = load(config);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the proxy's certificate: " + e.getMessage(), e);
            }
            checkedAt = System.nanoTime();
        }
    }

    /** Null: no TLS. */
    @Nullable
    Loaded current() {
        PostgresProxyConfig.Tls files = config;
        if (files != null && System.nanoTime() - checkedAt > CHECK) {
            checkedAt = System.nanoTime();
            Loaded before = loaded;
            try {
                if (before == null || !changed(files).equals(before.changed())) {
                    loaded = load(files);
                    LOGGER.atInfo().log("the proxy's certificate was read again");
                }
            } catch (IOException e) {
                LOGGER.atWarn().log("the proxy's certificate cannot be read again: {}", e.getMessage());
            }
        }
        return loaded;
    }

    SslHandler handler(Loaded tls, Channel channel) {
        return tls.context().newHandler(channel.alloc());
    }

    private static FileTime changed(PostgresProxyConfig.Tls files) throws IOException {
        FileTime chain = Files.getLastModifiedTime(files.certificateChain());
        FileTime key = Files.getLastModifiedTime(files.privateKey());
        return chain.compareTo(key) > 0 ? chain : key;
    }

    private static Loaded load(PostgresProxyConfig.Tls files) throws IOException {
        FileTime changed = changed(files);
        try {
            SslContext context = SslContextBuilder.forServer(
                            files.certificateChain().toFile(),
                            files.privateKey().toFile())
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            PROTOCOL))
                    .build();
            return new Loaded(context, binding(files.certificateChain()), changed);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** The signature's hash, SHA-256 where that is MD5 or SHA-1 (RFC 5929, section 4.1). */
    private static byte[] binding(Path chain) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(chain)) {
            X509Certificate certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            String algorithm = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
            String hash =
                    algorithm.contains("SHA384") ? "SHA-384" : algorithm.contains("SHA512") ? "SHA-512" : "SHA-256";
            return MessageDigest.getInstance(hash).digest(certificate.getEncoded());
        }
    }
}
