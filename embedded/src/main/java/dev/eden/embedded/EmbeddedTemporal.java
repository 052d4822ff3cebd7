package dev.eden.embedded;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A Temporal service, the best this machine has: the configured one, else a dev server of the {@code temporal} binary (on the
 * PATH or in Eden's cache, where {@code infra/temporal/build} puts it) as a process of this JVM with a SQLite file, else the
 * test server inside this JVM, which is neither durable nor has a Web UI and says so on standard error.
 */
public sealed interface EmbeddedTemporal extends AutoCloseable
        permits ExternalTemporal, TemporalDevServer, TemporalTestServer {
    /** Which of the forms to use. */
    enum Form {
        /** The first of the others that is possible, in their order. */
        BEST,
        EXTERNAL,
        DEV_SERVER,
        TEST_SERVER
    }

    /** Type of a custom search attribute. */
    enum AttributeType {
        KEYWORD("Keyword"),
        INT("Int"),
        DOUBLE("Double"),
        BOOL("Bool"),
        DATETIME("Datetime"),
        TEXT("Text"),
        KEYWORD_LIST("KeywordList");

        private final String label;

        AttributeType(String label) {
            this.label = label;
        }

        /** As the temporal command line spells it. */
        public String label() {
            return label;
        }
    }

    /**
     * How to start.
     *
     * @param form which form; tests pin one
     * @param address {@code host:port} of a running service; null reads TEMPORAL_ADDRESS of the environment
     * @param dbFile SQLite file of the dev server, kept; null for a temporary one
     * @param port of the dev server or test server; 0 for a free one
     * @param uiPort of the dev server's Web UI; 0 for a free one
     * @param searchAttributes registered in the namespace {@code default} of a dev or test server, name to type
     */
    record Options(
            Form form,
            @Nullable String address,
            @Nullable Path dbFile,
            int port,
            int uiPort,
            Map<String, AttributeType> searchAttributes) {
        public Options {
            searchAttributes = Map.copyOf(searchAttributes);
        }

        public static Options defaults() {
            return new Options(Form.BEST, null, null, 0, 0, Map.of());
        }

        public Options withForm(Form newForm) {
            return new Options(newForm, address, dbFile, port, uiPort, searchAttributes);
        }

        public Options withAddress(String newAddress) {
            return new Options(form, newAddress, dbFile, port, uiPort, searchAttributes);
        }

        public Options withDbFile(Path newDbFile) {
            return new Options(form, address, newDbFile, port, uiPort, searchAttributes);
        }

        public Options withPorts(int newPort, int newUiPort) {
            return new Options(form, address, dbFile, newPort, newUiPort, searchAttributes);
        }

        public Options withSearchAttribute(String name, AttributeType type) {
            var more = new LinkedHashMap<>(searchAttributes);
            more.put(name, type);
            return new Options(form, address, dbFile, port, uiPort, more);
        }
    }

    static EmbeddedTemporal start() {
        return start(Options.defaults());
    }

    /**
     * Returns when the namespace {@code default} answers and the search attributes are there.
     *
     * @throws EmbeddedServerException when the form asked for is not possible here or does not start
     */
    static EmbeddedTemporal start(Options options) {
        String configured = options.address() == null ? System.getenv("TEMPORAL_ADDRESS") : options.address();
        String address = configured == null || configured.isBlank() ? null : configured;
        return switch (options.form()) {
            case BEST -> {
                if (address != null) {
                    yield new ExternalTemporal(address);
                }
                Optional<Path> binary = devServerBinary();
                yield binary.isPresent()
                        ? new TemporalDevServer(binary.get(), options)
                        : new TemporalTestServer(options, true);
            }
            case EXTERNAL -> {
                if (address == null) {
                    throw new EmbeddedServerException("no Temporal address is configured (TEMPORAL_ADDRESS)");
                }
                yield new ExternalTemporal(address);
            }
            case DEV_SERVER ->
                new TemporalDevServer(
                        devServerBinary()
                                .orElseThrow(() -> new EmbeddedServerException("no temporal binary on the PATH or at "
                                        + cachedBinary() + "; build it by infra/temporal/build")),
                        options);
            case TEST_SERVER -> new TemporalTestServer(options, false);
        };
    }

    /** The dev server binary this machine has, if any: durability tests are skipped, and say so, where it is empty. */
    static Optional<Path> devServerBinary() {
        Optional<Path> onPath = Executables.onPath("temporal");
        Path cached = cachedBinary();
        return onPath.isPresent() || !Files.isExecutable(cached) ? onPath : Optional.of(cached);
    }

    private static Path cachedBinary() {
        return Cache.root().resolve("bin").resolve("temporal");
    }

    /** {@code host:port} of the gRPC service. */
    String address();

    /** The Web UI, where this form has one and its address is known. */
    Optional<String> uiUrl();

    /** Whether workflows survive the end of the service's process. */
    boolean durable();

    /** The process, where it is ours. */
    Optional<ServerProcess> process();

    /** SIGKILL. Only for the dev server; the others throw {@link UnsupportedOperationException}. */
    void kill();

    /** Starts again on the same ports and file, after a stop if it still runs. Only for the dev server. */
    void restart();

    /** SIGSTOP. Only for the dev server. */
    void suspend();

    /** SIGCONT. Only for the dev server. */
    void resume();

    /** The service outlives this JVM where it can: the test server cannot and throws. */
    void detach();

    /** How long a start may take. */
    Duration START = Duration.ofSeconds(60);

    @Override
    void close();
}
