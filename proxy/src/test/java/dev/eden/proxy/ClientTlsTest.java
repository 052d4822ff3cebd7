package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.embedded.EmbeddedChannel;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClientTlsTest {
    @TempDir
    private Path folder;

    @Test
    void nothingOlderThanTls12IsSpokenAndNoCertificateAskedFor() throws Exception {
        ClientTls tls = new ClientTls(SelfSigned.make(folder).files());
        SSLEngine engine = tls.handler(Objects.requireNonNull(tls.current()), new EmbeddedChannel())
                .engine();
        assertThat(engine.getEnabledProtocols()).containsExactlyInAnyOrder("TLSv1.2", "TLSv1.3");
        assertThat(engine.getWantClientAuth()).isFalse();
        assertThat(engine.getNeedClientAuth()).isFalse();
    }

    @Test
    void filesThatCanNotBeShownAreNamed() throws Exception {
        TlsFiles one = SelfSigned.make(folder).files();
        TlsFiles other = SelfSigned.make(folder).files();
        assertThatThrownBy(() -> new ClientTls(new TlsFiles(one.certificateChain(), other.privateKey())))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining(other.privateKey() + " is not the certificate's key");
        assertThat(new ClientTls(null).current()).isNull();
    }
}
