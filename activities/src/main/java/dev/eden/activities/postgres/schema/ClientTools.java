package dev.eden.activities.postgres.schema;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * PostgreSQL's own {@code pg_dump} and {@code psql} on this host, if there are any: on the {@code PATH}, or where packages put them side by side.
 *
 * @param directory of the two
 * @param major their version
 */
public record ClientTools(Path directory, int major) {
    private static final List<String> PARENTS =
            List.of("/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt");
    private static final Pattern VERSIONED = Pattern.compile("(postgresql@|pgsql-)?\\d+");
    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) (\\d+)");
    private static final long PATIENCE_SECONDS = 5;

    /** The oldest that knows both servers: {@code pg_dump} reads older servers than itself, but no newer ones. */
    public static Optional<ClientTools> find(int sourceMajor, int targetMajor) {
        return installed().stream()
                .filter(tools -> tools.major() >= Math.max(sourceMajor, targetMajor))
                .min(Comparator.comparingInt(ClientTools::major));
    }

    private static List<ClientTools> installed() {
        Set<Path> directories = new LinkedHashSet<>();
        String path = System.getenv("PATH");
        for (String part : (path == null ? "" : path).split(File.pathSeparator, -1)) {
            if (!part.isEmpty()) {
                directories.add(Path.of(part));
            }
        }
        for (String parent : PARENTS) {
            try (Stream<Path> children = Files.list(Path.of(parent))) {
                children.filter(child -> VERSIONED
                                .matcher(child.getFileName().toString())
                                .matches())
                        .map(child -> child.resolve("bin"))
                        .forEach(directories::add);
            } catch (IOException e) {
                // Not that kind of system.
            }
        }
        List<ClientTools> all = new ArrayList<>();
        for (Path directory : directories) {
            if (Files.isExecutable(directory.resolve("pg_dump")) && Files.isExecutable(directory.resolve("psql"))) {
                version(directory).ifPresent(major -> all.add(new ClientTools(directory, major)));
            }
        }
        return all;
    }

    private static Optional<Integer> version(Path directory) {
        try {
            Process process = new ProcessBuilder(directory.resolve("pg_dump").toString(), "--version")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return Optional.empty();
            }
            Matcher version = VERSION.matcher(said);
            return version.find() ? Optional.of(Integer.valueOf(version.group(1))) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
