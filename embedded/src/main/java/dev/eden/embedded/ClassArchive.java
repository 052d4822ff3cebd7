package dev.eden.embedded;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parsed and verified classes for the next JVM (class data sharing): a third of what the start of Eden's server costs. The
 * launcher script names the archive in {@value #PROPERTY} and removes it with every build. While there is none, the JVMs of a
 * run note which classes they load; at the end of that run the archive is made of their notes, once.
 */
public final class ClassArchive {
    static final String PROPERTY = "eden.class.archive";

    private static final Logger LOGGER = LoggerFactory.getLogger(ClassArchive.class);
    private static final List<String> QUIET = List.of("-Xlog:disable", "-Xlog:all=error:stderr");

    private ClassArchive() {}

    /** JVM flags for a child: use the archive, or note the classes for it; none where the launcher named no archive. */
    static List<String> flags(String mainClass, List<String> arguments) {
        String named = System.getProperty(PROPERTY);
        if (named == null) {
            return List.of();
        }
        Path archive = Path.of(named);
        var flags = new ArrayList<>(QUIET);
        if (Files.exists(archive)) {
            flags.add("-XX:SharedArchiveFile=" + archive);
            return flags;
        }
        String verb = arguments.isEmpty() ? mainClass : arguments.getFirst();
        flags.add("-XX:DumpLoadedClassList=" + archive + "." + verb + "." + System.nanoTime() + ".lst");
        return flags;
    }

    /**
     * Makes the archive of what this run has noted, when it has noted anything. Takes some ten seconds of one core; what goes
     * wrong costs the next start time and nothing else, so it is only logged.
     */
    public static void createFromNotes() {
        String named = System.getProperty(PROPERTY);
        if (named == null || Files.exists(Path.of(named))) {
            return;
        }
        Path archive = Path.of(named);
        try {
            List<Path> notes = notes(archive);
            if (!notes.isEmpty()) {
                create(archive, notes);
            }
        } catch (IOException | EmbeddedServerException e) {
            LOGGER.atInfo().log("no class archive for the next start: {}", e.toString());
        }
    }

    private static List<Path> notes(Path archive) throws IOException {
        var notes = new ArrayList<Path>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(
                Objects.requireNonNull(archive.toAbsolutePath().getParent()), archive.getFileName() + ".*.lst")) {
            found.forEach(notes::add);
        }
        return notes;
    }

    private static void create(Path archive, List<Path> notes) throws IOException {
        var classes = new LinkedHashSet<String>();
        for (Path note : notes) {
            classes.addAll(Files.readAllLines(note));
        }
        Path list = Path.of(archive + ".classes");
        Path work = Path.of(archive + "." + ProcessHandle.current().pid());
        Path log = Path.of(archive + ".log");
        Files.write(list, classes);
        // Dumping ends the JVM that does it.
        ServerProcess dump = ServerProcess.start(new ServerProcess.Spec(
                "class archive",
                List.of(
                        JavaProcess.java(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:+UseSerialGC",
                        "-Xshare:dump",
                        "-XX:SharedClassListFile=" + list,
                        "-XX:SharedArchiveFile=" + work,
                        "-cp",
                        System.getProperty("java.class.path")),
                Path.of("").toAbsolutePath(),
                Map.of(),
                log));
        try (dump) {
            if (!dump.awaitExit(Duration.ofMinutes(3)) || dump.exitCode() != 0 || !Files.exists(work)) {
                LOGGER.atInfo().log("no class archive for the next start, see {}", log);
                return;
            }
            Files.move(work, archive, StandardCopyOption.ATOMIC_MOVE);
            for (Path note : notes) {
                Files.deleteIfExists(note);
            }
            Files.deleteIfExists(log);
        } finally {
            Files.deleteIfExists(work);
            Files.deleteIfExists(list);
        }
    }
}
