package dev.eden.proxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Named places where a test may stop, kill, delay or fail a process, across process boundaries. Off unless the system
 * property {@code eden.failpoints} names a directory at start: then a file there, named like the place, holds what to do
 * ({@code stop}, {@code kill}, {@code delay MILLIS}, {@code error}; {@code stop PID…} and {@code kill PID…} strike other
 * processes, then go on); it works once and is renamed to {@code NAME.hit} before it acts. With the
 * property absent the check is a constant that the JIT removes.
 */
public final class Failpoints {
    private static final @Nullable Path DIRECTORY = directory();
    private static final boolean ENABLED = DIRECTORY != null;

    private Failpoints() {}

    /** Marks the place {@code name} (letters, digits, dots, dashes). Must not be called on an event loop. */
    public static void reach(String name) {
        if (ENABLED) {
            act(name);
        }
    }

    /**
     * True where a test has taken a rule of the protocol out, by a file {@code mutant.NAME} in the same directory: a checker that does
     * not notice is no checker. In production the answer is a constant.
     */
    public static boolean mutant(String name) {
        Path directory = DIRECTORY;
        return directory != null && Files.exists(directory.resolve("mutant." + name));
    }

    private static @Nullable Path directory() {
        String property = System.getProperty("eden.failpoints");
        return property == null ? null : Path.of(property);
    }

    private static void act(String name) {
        Path directory = DIRECTORY;
        if (directory == null) {
            return;
        }
        Path file = directory.resolve(name);
        String action;
        try {
            action = Files.readString(file).strip();
            Files.move(file, directory.resolve(name + ".hit"));
        } catch (NoSuchFileException absent) {
            return;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String self = Long.toString(ProcessHandle.current().pid());
        try {
            if (action.equals("kill") || action.startsWith("kill ")) {
                signal("-KILL", action.substring(4).strip(), self);
            } else if (action.equals("stop") || action.startsWith("stop ")) {
                signal("-STOP", action.substring(4).strip(), self);
            } else if (action.startsWith("delay ")) {
                Thread.sleep(Long.parseLong(action.substring(6).strip()));
            } else if (action.equals("error")) {
                throw new FailpointException(name);
            } else {
                throw new IllegalArgumentException("failpoint " + name + ": unknown action " + action);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void signal(String signal, String pids, String self) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", signal));
        command.addAll(pids.isEmpty() ? List.of(self) : List.of(pids.split(" +")));
        new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    /** What the action {@code error} throws. */
    public static final class FailpointException extends RuntimeException {
        FailpointException(String name) {
            super("failpoint " + name);
        }
    }
}
