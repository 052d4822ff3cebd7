package dev.eden.embedded;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A JVM like this one, as a process of this JVM: same Java, same class path, another main class. */
public final class JavaProcess {
    private JavaProcess() {}

    /**
     * Starts {@code mainClass}. Secrets belong into {@code environment}: arguments are seen by every user of the machine.
     *
     * @param jvmArguments after the ones every Eden JVM gets (native access, quiet Unsafe)
     * @param environment added to this JVM's environment
     * @param log file that standard output and error are appended to
     */
    public static ServerProcess start(
            String mainClass,
            List<String> jvmArguments,
            List<String> arguments,
            Map<String, String> environment,
            Path log) {
        List<String> flags = new ArrayList<>(ClassArchive.flags(mainClass, arguments));
        flags.addAll(jvmArguments);
        return start(System.getProperty("java.class.path"), mainClass, flags, arguments, environment, log);
    }

    /** The same on another class path: another build. */
    public static ServerProcess start(
            String classPath,
            String mainClass,
            List<String> jvmArguments,
            List<String> arguments,
            Map<String, String> environment,
            Path log) {
        var command = new ArrayList<String>();
        command.add(java());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.addAll(jvmArguments);
        command.addAll(List.of("-cp", classPath, mainClass));
        command.addAll(arguments);
        String name = mainClass.substring(mainClass.lastIndexOf('.') + 1) + " " + String.join(" ", arguments);
        return ServerProcess.start(
                new ServerProcess.Spec(name, command, Path.of("").toAbsolutePath(), environment, log));
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
