package dev.eden.api.cli;

import dev.eden.api.problem.StartupException;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A Redis of {@code eden dev}: port, users and data are in its directory, for endpoints that are stored name the port. */
final class DevRedis {
    private DevRedis() {}

    /** Throws {@link StartupException} where somebody else has its port. */
    static EmbeddedRedis start(Path directory) {
        Path kept = directory.resolve("port");
        try {
            int port = Files.exists(kept) ? before(kept) : FreePort.find();
            Files.createDirectories(directory);
            Files.writeString(kept, port + "\n");
            return EmbeddedRedis.start(EmbeddedRedis.Options.defaults()
                    .withPort(port)
                    .withDir(directory)
                    .withConfig("save 60 1", "aclfile users.acl"));
        } catch (IOException e) {
            throw new UncheckedIOException("could not keep a Redis in " + directory, e);
        }
    }

    private static int before(Path kept) throws IOException {
        int port;
        try {
            port = Integer.parseInt(Files.readString(kept).strip());
        } catch (NumberFormatException e) {
            throw new StartupException(kept + " holds no port", "write the port in it that Eden's endpoint names");
        }
        if (!FreePort.take(port)) {
            throw new StartupException(
                    "port " + port + " is taken; the Redis kept in " + kept.getParent()
                            + " had it, and Eden's endpoints name it",
                    "end what listens there (another eden dev?), or begin anew with another --data-dir");
        }
        return port;
    }

    /** Saves first. */
    static void stop(EmbeddedRedis redis) {
        redis.stop();
        redis.close();
    }
}
