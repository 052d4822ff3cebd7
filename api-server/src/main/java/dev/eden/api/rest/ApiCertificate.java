package dev.eden.api.rest;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.PemPair;
import io.dropwizard.jetty.HttpsConnectorFactory;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate that the API serves, and newer ones as its files change: connections that are open keep the one they began with. A pair
 * that can't be served leaves the former one where it is, with a line in the log and a count.
 */
final class ApiCertificate implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ApiCertificate.class);

    private final ApiTls files;
    private final Duration period;
    private final Counter taken;
    private final Counter refused;
    private volatile Instant end;
    private SslContextFactory.@Nullable Server context;
    private @Nullable Thread thread;

    /** Throws {@link StartupException} where the files can't be served. */
    ApiCertificate(ApiTls files, Duration period, MeterRegistry registry) {
        this.files = files;
        this.period = period;
        this.end = ApiTls.end(files.store());
        this.taken = reloads(registry, "taken");
        this.refused = reloads(registry, "refused");
        remaining(registry, this);
    }

    /** A server without TLS shows the same figures. */
    static void meters(MeterRegistry registry) {
        reloads(registry, "taken");
        reloads(registry, "refused");
        remaining(registry, null);
    }

    HttpsConnectorFactory connector() {
        KeyStore store = files.store();
        HttpsConnectorFactory factory = new HttpsConnectorFactory() {
            @Override
            protected SslContextFactory.Server configureSslContextFactory(SslContextFactory unconfigured) {
                SslContextFactory.Server server = (SslContextFactory.Server) unconfigured;
                serve(server, store);
                server.setIncludeProtocols("TLSv1.3", "TLSv1.2");
                // Clients go by addresses and inner names that no certificate has; they decide whom they trust.
                server.setSniRequired(false);
                context = server;
                return server;
            }
        };
        factory.setDisableSniHostCheck(true);
        return factory;
    }

    /** Begins to look at the files, once the server has started. */
    void watch() {
        SslContextFactory.Server server = Objects.requireNonNull(context, "no connector was made");
        byte[] first = content();
        thread = Thread.ofVirtual().name("api-certificate").start(() -> watch(server, first));
    }

    @Override
    public void close() {
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }

    private void watch(SslContextFactory.Server server, byte[] first) {
        byte[] settled = first;
        byte[] seen = first;
        try {
            while (true) {
                Thread.sleep(period);
                byte[] now = content();
                // Twice the same: whoever writes one file after the other is not caught in between.
                if (Arrays.equals(now, seen) && !Arrays.equals(now, settled)) {
                    settled = now;
                    take(server);
                }
                seen = now;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void take(SslContextFactory.Server server) {
        try {
            KeyStore store = files.store();
            server.reload(_ -> serve(server, store));
            end = ApiTls.end(store);
            taken.increment();
            LOGGER.atInfo().addKeyValue("until", end).log("the API serves its new certificate");
        } catch (Exception e) {
            refused.increment();
            LOGGER.atError()
                    .addKeyValue(
                            "reason",
                            e instanceof StartupException
                                    ? e.getMessage()
                                    : e.getClass().getSimpleName())
                    .log("the API's new certificate can't be served; it serves the former one");
        }
    }

    private static void serve(SslContextFactory.Server server, KeyStore store) {
        server.setKeyStore(store);
        server.setKeyStorePassword(ApiTls.PASSWORD);
    }

    private byte[] content() {
        return PemPair.content(files.certificate(), files.key());
    }

    private static Counter reloads(MeterRegistry registry, String outcome) {
        return Counter.builder("eden_api_tls_reloads")
                .description("changes of the API's certificate, by what became of them")
                .tags("outcome", outcome)
                .register(registry);
    }

    private static void remaining(MeterRegistry registry, @Nullable ApiCertificate certificate) {
        Gauge.builder(
                        "eden_api_tls_remaining_seconds",
                        () -> certificate == null
                                ? Double.NaN
                                : Duration.between(Instant.now(), certificate.end)
                                        .toSeconds())
                .description("until the end of the API's certificate; no number without TLS")
                .register(registry);
    }
}
