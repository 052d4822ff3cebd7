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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parsed and verified classes for the next JVM (class data sharing): half of what the start of Eden's server costs. The
 * launcher script names the archive in {@value #PROPERTY} and removes it with every build. While there is none, the JVMs of a
 * run note which classes they load; at the end of that run the archive is made of their notes, once.
 */
public final class ClassArchive {
    static final String PROPERTY = "eden.class.archive";

    private static final List<String> QUIET = List.of("-Xlog:disable", "-Xlog:all=error:stderr");

    /** A class of one of the JVM's own loaders, as -XX:DumpLoadedClassList writes it. */
    private static final Pattern NUMBERED = Pattern.compile("([^ #@]+) id: [0-9]+");

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
     * Makes the archive of what this run has noted, when it has noted anything. Takes some twenty seconds of one core and says
     * so on standard error; what goes wrong costs the next start time and nothing else, so it is only logged. The notes go
     * either way: a bad line must not spoil every later try.
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
                System.err.println("Preparing quicker starts (once after a build) ...");
                create(archive, notes);
            }
        } catch (IOException | EmbeddedServerException e) {
            logger().atInfo().log("no class archive for the next start: {}", e.toString());
        }
    }

    /** Not a constant: whoever prints a help would start the logging for it, a third of such a run. */
    private static Logger logger() {
        return LoggerFactory.getLogger(ClassArchive.class);
    }

    private static List<Path> notes(Path archive) throws IOException {
        var notes = new ArrayList<Path>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(
                Objects.requireNonNull(archive.toAbsolutePath().getParent()), archive.getFileName() + ".*.lst")) {
            found.forEach(notes::add);
        }
        return notes;
    }

    /**
     * One class list of several. The JVM numbers the classes of a list, so the numbers of two lists collide and go. Classes of
     * loaders other than the JVM's own need them (such lines name a source) and are left out, and so are the constant pools,
     * which only the JVM that noted them can refer to. The last line of a killed JVM may be cut off.
     */
    static List<String> merge(List<String> lines) {
        var merged = new LinkedHashSet<String>();
        for (String line : lines) {
            Matcher numbered = NUMBERED.matcher(line);
            if (numbered.matches()) {
                merged.add(numbered.group(1));
            } else if (line.startsWith("@lambda-")) {
                merged.add(line);
            }
        }
        return List.copyOf(merged);
    }

    private static void create(Path archive, List<Path> notes) throws IOException {
        var lines = new ArrayList<String>();
        for (Path note : notes) {
            lines.addAll(Files.readAllLines(note));
        }
        Path list = Path.of(archive + ".classes");
        Path work = Path.of(archive + "." + ProcessHandle.current().pid());
        Path log = Path.of(archive + ".log");
        Files.write(list, merge(lines));
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
                logger().atInfo().log("no class archive for the next start, see {}", log);
                return;
            }
            Files.move(work, archive, StandardCopyOption.ATOMIC_MOVE);
            Files.deleteIfExists(log);
        } finally {
            Files.deleteIfExists(work);
            Files.deleteIfExists(list);
            for (Path note : notes) {
                Files.deleteIfExists(note);
            }
        }
    }
}
