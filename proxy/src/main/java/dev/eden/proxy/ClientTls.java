package dev.eden.proxy;

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
public final class ClientTls {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClientTls.class);
    private static final long CHECK = Duration.ofSeconds(1).toNanos();

    private final @Nullable TlsFiles files;
    private final String[] protocols;
    private volatile @Nullable Loaded loaded;
    /** What was looked at last, shown or not: each change is judged once. */
    private volatile byte[] seen = {};

    private volatile long checkedAt;

    /** @param binding tls-server-end-point (RFC 5929): the hash of the certificate */
    public record Loaded(SslContext context, byte[] binding) {}

    /**
     * Throws {@link UncheckedIOException} when the files cannot be shown.
     *
     * @param files null: no TLS
     * @param protocols what clients may say they speak (ALPN); without any they are not asked
     */
    public ClientTls(@Nullable TlsFiles files, String... protocols) {
        this.files = files;
        this.protocols = protocols.clone();
        if (files != null) {
            seen = PemPair.content(files.certificateChain(), files.privateKey());
            try {
                loaded = load(files);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot show the proxy's certificate: " + e.getMessage(), e);
            }
            checkedAt = System.nanoTime();
        }
    }

    /** Null: no TLS. */
    public @Nullable Loaded current() {
        TlsFiles shown = files;
        if (shown != null && System.nanoTime() - checkedAt > CHECK) {
            checkedAt = System.nanoTime();
            byte[] content = PemPair.content(shown.certificateChain(), shown.privateKey());
            if (!Arrays.equals(content, seen)) {
                seen = content;
                try {
                    loaded = load(shown);
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

    public SslHandler handler(Loaded tls, Channel channel) {
        return tls.context().newHandler(channel.alloc());
    }

    private Loaded load(TlsFiles shown) throws IOException {
        PemPair pair = PemPair.read(shown.certificateChain(), shown.privateKey());
        try {
            SslContext context = SslContextBuilder.forServer(pair.key(), pair.chain())
                    .applicationProtocolConfig(
                            protocols.length == 0
                                    ? ApplicationProtocolConfig.DISABLED
                                    : new ApplicationProtocolConfig(
                                            ApplicationProtocolConfig.Protocol.ALPN,
                                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                                            protocols))
                    .build();
            return new Loaded(context, ChannelBinding.of(pair.chain()[0]));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}
