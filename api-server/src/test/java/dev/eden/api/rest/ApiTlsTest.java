package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.api.SelfSigned;
import dev.eden.api.problem.StartupException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The API over TLS, with a certificate and a key as files. */
class ApiTlsTest {
    private final MeterRegistry registry = new SimpleMeterRegistry();

    @TempDir
    java.nio.file.Path directory;

    /** Something to ask for. */
    @Path("/ping")
    public static final class Ping {
        @GET
        public String ping() {
            return "pong";
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"RSA", "EC", "Ed25519"})
    void theFilesCertificateIsServed(String algorithm) throws Exception {
        SelfSigned store = pair(algorithm);
        try (ApiServer server = start(files(store))) {
            HttpResponse<String> answer = ask(server, store, "https");
            assertThat(answer.body()).isEqualTo("pong");
            assertThat(answer.headers().firstValue("strict-transport-security")).isPresent();
            assertThat(answer.sslSession().orElseThrow().getPeerCertificates()[0])
                    .isEqualTo(store.certificate());
            assertThat(answer.sslSession().orElseThrow().getProtocol()).isEqualTo("TLSv1.3");
            assertThatThrownBy(() -> ask(server, pair(algorithm), "https"))
                    .as("a client that trusts another one")
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> ask(server, store, "http"))
                    .as("plain HTTP on the same port")
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void filesThatAreNotRightAreNamed() throws Exception {
        ApiTls good = files(pair("EC"));
        java.nio.file.Path missing = directory.resolve("missing.pem");
        assertThatThrownBy(() -> start(new ApiTls(missing, good.key())))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("missing.pem can't be read");
        assertThatThrownBy(() -> start(new ApiTls(good.certificate(), good.certificate())))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("PKCS #8");
        assertThatThrownBy(() -> start(new ApiTls(good.key(), good.key()))).isInstanceOf(StartupException.class);
        assertThatThrownBy(() ->
                        start(new ApiTls(good.certificate(), files(pair("EC")).key())))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("is not the certificate's key");
    }

    @Test
    void aNewCertificateIsServedWithoutARestartAndABadOneIsNot() throws Exception {
        SelfSigned first = pair("EC");
        SelfSigned second = pair("RSA");
        ApiTls files = files(first);
        ApiTls next = files(second);
        try (ApiServer server = start(files)) {
            ask(server, first, "https");
            assertThat(registry.get("eden_api_tls_remaining_seconds").gauge().value())
                    .isBetween(60.0, 400.0 * 86_400);

            // A key that is not the certificate's, and stays so.
            Files.copy(next.certificate(), files.certificate(), StandardCopyOption.REPLACE_EXISTING);
            await().untilAsserted(() -> assertThat(reloads("refused")).isEqualTo(1));
            assertThat(ask(server, first, "https").body()).isEqualTo("pong");

            Files.copy(next.key(), files.key(), StandardCopyOption.REPLACE_EXISTING);
            await().untilAsserted(() -> assertThat(reloads("taken")).isEqualTo(1));
            assertThat(ask(server, second, "https").body()).isEqualTo("pong");
            assertThatThrownBy(() -> ask(server, first, "https")).isInstanceOf(IOException.class);

            Files.delete(files.key());
            await().untilAsserted(() -> assertThat(reloads("refused")).isEqualTo(2));
            assertThat(ask(server, second, "https").body()).isEqualTo("pong");
        }
    }

    private double reloads(String outcome) {
        return registry.get("eden_api_tls_reloads")
                .tag("outcome", outcome)
                .counter()
                .count();
    }

    private ApiServer start(ApiTls tls) {
        return ApiServer.start(
                new ApiServer.Listen("127.0.0.1", 0, tls, "127.0.0.1", 0),
                new ApiServer.Parts(List.of(new Ping(), new HeadersFilter()), Map.of(), List.of(), registry),
                Duration.ofMillis(50));
    }

    private static HttpResponse<String> ask(ApiServer server, SelfSigned trusted, String scheme) throws Exception {
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        anchors.setCertificateEntry("eden", trusted.certificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        try (HttpClient http = HttpClient.newBuilder().sslContext(context).build()) {
            return http.send(
                    HttpRequest.newBuilder(URI.create(scheme + "://localhost:" + server.apiPort() + "/ping"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private ApiTls files(SelfSigned pair) throws Exception {
        String name = java.util.UUID.randomUUID().toString();
        return new ApiTls(
                pair.writeCertificate(directory.resolve(name + ".crt")),
                pair.writeKey(directory.resolve(name + ".key")));
    }

    private SelfSigned pair(String algorithm) throws Exception {
        return SelfSigned.make(directory, algorithm);
    }
}
