package dev.eden.api.rest;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.health.HealthCheck;
import com.codahale.metrics.health.HealthCheckRegistry;
import dev.eden.api.json.Json;
import dev.eden.api.problem.StartupException;
import io.dropwizard.core.Configuration;
import io.dropwizard.core.server.DefaultServerFactory;
import io.dropwizard.core.setup.Environment;
import io.dropwizard.jersey.validation.Validators;
import io.dropwizard.jetty.GzipHandlerFactory;
import io.dropwizard.jetty.HttpConnectorFactory;
import io.dropwizard.logging.common.AppenderFactory;
import io.dropwizard.request.logging.LogbackAccessRequestLogFactory;
import io.dropwizard.util.DataSize;
import io.dropwizard.util.Duration;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServlet;
import java.net.BindException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP side: Dropwizard's server without its command line and YAML. Two listeners: the API, and metrics and health, which
 * need no token. Requests run on virtual threads.
 */
public final class ApiServer implements AutoCloseable {
    /** How often the certificate's files are looked at. A change is served after two looks. */
    private static final java.time.Duration LOOK = java.time.Duration.ofSeconds(10);

    private final Server server;
    private final List<AutoCloseable> closedFirst;

    private ApiServer(Server server, List<AutoCloseable> closedFirst) {
        this.server = server;
        this.closedFirst = closedFirst;
    }

    /** Addresses; port 0 asks for a free one. {@code tls} null: the API is plain HTTP, for a network that is trusted or a proxy that ends TLS. */
    public record Listen(
            String apiHost, int apiPort, @Nullable ApiTls tls, String adminHost, int adminPort) {}

    /**
     * @param filters and resources: instances
     * @param adminServlets by path, e.g. {@code /metrics}
     * @param registry shows when the certificate ends and what became of its changes
     */
    public record Parts(
            List<Object> components,
            Map<String, HttpServlet> adminServlets,
            List<AutoCloseable> closedFirst,
            MeterRegistry registry) {}

    /** Throws {@link StartupException} where a port is taken. */
    public static ApiServer start(Listen listen, Parts parts) {
        return start(listen, parts, LOOK);
    }

    /** The same; {@code look}: how often the certificate's files are looked at. */
    static ApiServer start(Listen listen, Parts parts, java.time.Duration look) {
        ApiTls tls = listen.tls();
        @Nullable ApiCertificate certificate = null;
        if (tls == null) {
            ApiCertificate.meters(parts.registry());
        } else {
            certificate = new ApiCertificate(tls, look, parts.registry());
        }
        Environment environment = new Environment(
                "eden",
                Json.mapper(),
                Validators.newValidatorFactory(),
                new MetricRegistry(),
                ApiServer.class.getClassLoader(),
                new HealthCheckRegistry(),
                new Configuration());
        DefaultServerFactory factory = new DefaultServerFactory();
        factory.setApplicationConnectors(List.of(connector(certificate, listen.apiHost(), listen.apiPort())));
        factory.setAdminConnectors(List.of(connector(null, listen.adminHost(), listen.adminPort())));
        factory.setEnableVirtualThreads(true);
        factory.setEnableAdminVirtualThreads(true);
        factory.setRegisterDefaultExceptionMappers(false);
        factory.setEnableThreadNameFilter(false);
        factory.setShutdownGracePeriod(Duration.seconds(2));
        GzipHandlerFactory gzip = new GzipHandlerFactory();
        gzip.setEnabled(false);
        factory.setGzipFilterFactory(gzip);
        LogbackAccessRequestLogFactory requestLog = new LogbackAccessRequestLogFactory();
        requestLog.setAppenders(List.<AppenderFactory<ch.qos.logback.access.common.spi.IAccessEvent>>of());
        factory.setRequestLogFactory(requestLog);

        // Health has a servlet of its own (/health); Dropwizard warns loudly where its registry is empty.
        environment.healthChecks().register("http", new HealthCheck() {
            @Override
            protected Result check() {
                return Result.healthy();
            }
        });
        environment.jersey().property("jersey.config.server.wadl.disableWadl", true);
        environment.jersey().register(new ProblemMapper());
        parts.components().forEach(environment.jersey()::register);
        Set<String> served = new HashSet<>();
        parts.adminServlets().forEach((path, servlet) -> {
            String name = path.substring(1).replace("/*", "");
            environment.admin().addServlet(name, servlet).addMapping(path);
            served.add(name);
        });
        environment.admin().addFilter("served", new ServedFilter(served)).addMappingForUrlPatterns(null, false, "/*");
        JettyProblems problems = new JettyProblems();
        environment.getApplicationContext().setErrorHandler(problems);
        environment.getAdminContext().setErrorHandler(problems);
        Server server = factory.build(environment);
        server.setErrorHandler(problems);
        server.setStopAtShutdown(false);
        try {
            server.start();
        } catch (Exception e) {
            stop(server);
            throw failed(e, listen);
        }
        List<AutoCloseable> closedFirst = new ArrayList<>(parts.closedFirst());
        if (certificate != null) {
            certificate.watch();
            closedFirst.add(certificate);
        }
        return new ApiServer(server, closedFirst);
    }

    public int apiPort() {
        return ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    }

    public int adminPort() {
        return ((ServerConnector) server.getConnectors()[1]).getLocalPort();
    }

    @Override
    public void close() {
        for (AutoCloseable first : closedFirst) {
            try {
                first.close();
            } catch (Exception e) {
                throw new IllegalStateException("closing " + first.getClass().getSimpleName() + " failed", e);
            }
        }
        stop(server);
    }

    private static HttpConnectorFactory connector(@Nullable ApiCertificate certificate, String host, int port) {
        HttpConnectorFactory connector = certificate == null ? new HttpConnectorFactory() : certificate.connector();
        connector.setMaxRequestHeaderSize(DataSize.kibibytes(8));
        connector.setIdleTimeout(Duration.seconds(60));
        connector.setBindHost(host);
        connector.setPort(port);
        return connector;
    }

    private static RuntimeException failed(Exception e, Listen listen) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                @Nullable String message = e.getMessage();
                return new StartupException(
                        "an address is taken: API " + listen.apiHost() + ":" + listen.apiPort() + ", metrics "
                                + listen.adminHost() + ":" + listen.adminPort()
                                + (message == null ? "" : " (" + message + ")"),
                        "stop what listens there, or choose with --api-port and --admin-port");
            }
        }
        return new StartupException(
                "the HTTP server can't be started: " + e.getClass().getSimpleName(), "see the log for the cause");
    }

    private static void stop(Server server) {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException("the HTTP server does not stop", e);
        }
    }
}
