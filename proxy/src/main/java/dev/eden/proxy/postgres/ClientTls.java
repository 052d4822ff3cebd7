package dev.eden.proxy.postgres;

import dev.eden.proxy.ChannelBinding;
import dev.eden.proxy.PemPair;
import dev.eden.proxy.PostgresProxyConfig;
import io.netty.channel.Channel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the proxy shows to clients that want TLS. Files that change are seen with the first client a second later; a pair that cannot be
 * shown leaves the certificate as it was. Shared by all loops: two that look at once read the same files twice.
 */
final class ClientTls {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClientTls.class);
    private static final long CHECK = Duration.ofSeconds(1).toNanos();
    static final String PROTOCOL = "postgresql";

    private final PostgresProxyConfig.@Nullable Tls config;
    private volatile @Nullable Loaded loaded;
    /** What was looked at last, shown or not: each change is judged once. */
    private volatile byte[] seen = {};

    private volatile long checkedAt;

    /** @param binding tls-server-end-point (RFC 5929): the hash of the certificate */
    record Loaded(SslContext context, byte[] binding) {}

    /** Throws {@link UncheckedIOException} when the files cannot be shown. */
    ClientTls(PostgresProxyConfig.@Nullable Tls config) {
        this.config = config;
        if (config != null) {
            seen = PemPair.content(config.certificateChain(), config.privateKey());
            try {
                loaded = load(config);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot show the proxy's certificate: " + e.getMessage(), e);
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
            byte[] content = PemPair.content(files.certificateChain(), files.privateKey());
            if (!Arrays.equals(content, seen)) {
                seen = content;
                try {
                    loaded = load(files);
                    LOGGER.atInfo().log("the proxy shows its new certificate");
                } catch (IOException e) {
                    LOGGER.atError()
                            .log(
                                    "the proxy's new certificate can't be shown, it shows the former one: {}",
                                    e.getMessage());
                }
            }
        }
        return loaded;
    }

    SslHandler handler(Loaded tls, Channel channel) {
        return tls.context().newHandler(channel.alloc());
    }

    private static Loaded load(PostgresProxyConfig.Tls files) throws IOException {
        PemPair pair = PemPair.read(files.certificateChain(), files.privateKey());
        try {
            SslContext context = SslContextBuilder.forServer(pair.key(), pair.chain())
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            PROTOCOL))
                    .build();
            return new Loaded(context, ChannelBinding.of(pair.chain()[0]));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}
