package dev.eden.embedded;

import io.temporal.testserver.TestServer;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The in-memory server of the Temporal SDK, inside this JVM. */
final class TemporalTestServer implements EmbeddedTemporal {
    private static final Logger LOGGER = LoggerFactory.getLogger(TemporalTestServer.class);
    private static final String BANNER = """
            ************************************************************************************
            *  Temporal runs as the in-process test server: NOT DURABLE (workflows end with    *
            *  this process) and WITHOUT A WEB UI. For the real one: install the `temporal`    *
            *  command line, or: eden temporal install (needs Go), or set TEMPORAL_ADDRESS.    *
            ************************************************************************************
            """;

    private final TestServer.PortBoundTestServer server;
    private final String address;

    TemporalTestServer(Options options, boolean warn) {
        int port = options.port() == 0 ? FreePort.find() : options.port();
        this.address = "127.0.0.1:" + port;
        this.server = TestServer.createPortBoundServer(port);
        TemporalService.awaitNamespace(address, () -> {});
        TemporalService.register(address, options.searchAttributes());
        LOGGER.atWarn()
                .addKeyValue("address", address)
                .log("Temporal is the in-process test server: not durable, no Web UI");
        if (warn) {
            System.err.print(BANNER);
        }
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public Optional<String> uiUrl() {
        return Optional.empty();
    }

    @Override
    public boolean durable() {
        return false;
    }

    @Override
    public Optional<ServerProcess> process() {
        return Optional.empty();
    }

    @Override
    public void kill() {
        throw inProcess();
    }

    @Override
    public void restart() {
        throw inProcess();
    }

    @Override
    public void suspend() {
        throw inProcess();
    }

    @Override
    public void resume() {
        throw inProcess();
    }

    @Override
    public void detach() {
        throw inProcess();
    }

    @Override
    public void close() {
        server.close();
    }

    private static UnsupportedOperationException inProcess() {
        return new UnsupportedOperationException("the Temporal test server lives in this JVM");
    }
}
