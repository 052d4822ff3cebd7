package dev.eden.embedded;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Programs of the machine. */
final class Executables {
    private static final List<String> NEW_SESSION = onPath("setsid").isPresent() ? List.of("setsid") : List.of();

    private Executables() {}

    /** Words before a command that give it a session of its own (it keeps its pid: our children lead no process group). */
    static List<String> newSession() {
        return NEW_SESSION;
    }

    static Optional<Path> onPath(String program) {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
        return Arrays.stream(path.split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, program))
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst();
    }
}
