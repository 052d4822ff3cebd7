package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuthoritiesTest {
    @TempDir
    private Path folder;

    @Test
    void everyKindOfConnectionTrustsThemBesideTheJdks() throws Exception {
        Set<X509Certificate> before = Set.of(accepted());
        SelfSigned pair = SelfSigned.make(folder);
        Path pem = folder.resolve("authority.pem");
        Files.writeString(
                pem, "the company's own\n" + Files.readString(pair.files().certificateChain()));
        try (SSLServerSocket server = server(pair)) {
            assertThatThrownBy(() -> connect(fresh(), server.getLocalPort())).isInstanceOf(SSLHandshakeException.class);
            assertThatThrownBy(() -> connect(netty(), server.getLocalPort())).isInstanceOf(SSLHandshakeException.class);
            Authorities.trust(pem);
            Files.delete(pem);
            connect(fresh(), server.getLocalPort());
            connect(netty(), server.getLocalPort());
            connect(SSLContext.getDefault().getSocketFactory(), server.getLocalPort());
            connect((SSLSocketFactory) SSLSocketFactory.getDefault(), server.getLocalPort());
        }
        assertThat(accepted()).containsAll(before).hasSize(before.size() + 1);
        Path other = folder.resolve("other.pem");
        Files.writeString(other, "hunter2");
        assertThatThrownBy(() -> Authorities.trust(other))
                .isInstanceOf(Authorities.UnusableException.class)
                .hasMessageStartingWith(other + " ")
                .hasMessageNotContaining("hunter2");
        assertThatThrownBy(() -> Authorities.check(pem)).hasMessage(pem + " can't be read");
        assertThat(accepted()).as("a file that is refused changes nothing").hasSize(before.size() + 1);
    }

    private static X509Certificate[] accepted() throws Exception {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        @Nullable KeyStore byDefault = null;
        factory.init(byDefault);
        return ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers();
    }

    private static SSLSocketFactory fresh() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, null, null);
        return context.getSocketFactory();
    }

    private static SSLSocketFactory netty() throws IOException {
        return ((JdkSslContext) SslContextBuilder.forClient().build()).context().getSocketFactory();
    }

    static void connect(SSLSocketFactory factory, int port) throws IOException {
        try (SSLSocket socket = (SSLSocket) factory.createSocket(InetAddress.getByName("localhost"), port)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
        }
    }

    static SSLServerSocket server(SelfSigned pair) throws Exception {
        SSLServerSocket server = (SSLServerSocket)
                pair.context().getServerSocketFactory().createServerSocket(0, 10, InetAddress.getByName("localhost"));
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try (SSLSocket client = (SSLSocket) server.accept()) {
                    client.startHandshake();
                } catch (IOException _) {
                    // The client hung up: that is its part of the test.
                }
            }
        });
        return server;
    }
}
