package dev.eden.api.cli;

import dev.eden.api.EdenStore;
import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Secret;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where Eden's own state is. Secrets come from the environment or from files only: arguments are seen by everybody on the machine. */
final class StoreOptions {
    @Option(
            names = "--database-url",
            paramLabel = "URL",
            defaultValue = "${env:EDEN_DATABASE_URL}",
            description =
                    "Eden's PostgreSQL: postgresql://user@host:port/database or jdbc:postgresql://… (EDEN_DATABASE_URL);"
                            + " the password may come as EDEN_DATABASE_PASSWORD")
    private @Nullable String databaseUrl;

    @Option(
            names = "--database-user",
            paramLabel = "USER",
            defaultValue = "${env:EDEN_DATABASE_USER}",
            description = "instead of in the URL (EDEN_DATABASE_USER)")
    private @Nullable String databaseUser;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            defaultValue = "${env:EDEN_DATA_DIR}",
            description =
                    "for the encryption key, where EDEN_ENCRYPTION_KEY is not set (EDEN_DATA_DIR; default: ~/.local/state/eden)")
    private @Nullable Path dataDirectory;

    @Option(
            names = "--database-pool",
            paramLabel = "N",
            defaultValue = "${env:EDEN_DATABASE_POOL:-0}",
            description =
                    "connections to Eden's PostgreSQL (EDEN_DATABASE_POOL; default: 16 for a server, 6 for a proxy)")
    private int pool;

    EdenStore.Settings settings(int defaultPool) {
        String url = databaseUrl;
        if (url == null || url.isBlank()) {
            throw new StartupException(
                    "Eden's database is not named",
                    "give --database-url or EDEN_DATABASE_URL; to try Eden with everything started for you: eden dev");
        }
        return new EdenStore.Settings(
                url,
                databaseUser,
                secret("EDEN_DATABASE_PASSWORD"),
                secret("EDEN_ENCRYPTION_KEY"),
                dataDirectory(),
                pool > 0 ? pool : defaultPool,
                Duration.ofSeconds(5));
    }

    Path dataDirectory() {
        Path given = dataDirectory;
        return given != null ? given : Path.of(System.getProperty("user.home"), ".local", "state", "eden");
    }

    static @Nullable Secret secret(String variable) {
        String value = System.getenv(variable);
        return value == null || value.isBlank() ? null : new Secret(value.strip());
    }
}
