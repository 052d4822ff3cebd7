package dev.eden.api.cli;

import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The PostgreSQL of {@code eden dev}: other proxies are started with its port, which it has again after a restart unless somebody else took it. */
final class DevStore {
    private DevStore() {}

    static EmbeddedPostgres start(Path data) {
        return EmbeddedPostgres.start(
                EmbeddedPostgres.Options.defaults().withPort(port(data)).withDataDir(data.resolve("postgres")));
    }

    /** Reserved for this process. */
    static int port(Path data) {
        Path kept = data.resolve("postgres.port");
        try {
            int before = Files.exists(kept) ? parsed(Files.readString(kept)) : 0;
            int port = before > 0 && FreePort.take(before) ? before : FreePort.find();
            Files.createDirectories(data);
            Files.writeString(kept, port + "\n");
            return port;
        } catch (IOException e) {
            throw new UncheckedIOException("could not keep a PostgreSQL in " + data, e);
        }
    }

    /** Nothing depends on it but habit: what can't be read is forgotten. */
    private static int parsed(String text) {
        try {
            int port = Integer.parseInt(text.strip());
            return port > 0 && port <= 65_535 ? port : 0;
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
