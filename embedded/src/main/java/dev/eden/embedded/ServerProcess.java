package dev.eden.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One server process that dies with the JVM that started it, whatever ends that JVM.
 *
 * <p>The command is started by a line of {@code sh} that {@code exec}s it once the {@link Watchdog} knows its pid, so there
 * is no moment in which a {@code kill -9} of this JVM would leave it behind. It gets a session of its own where {@code setsid}
 * exists, so that a Ctrl-C in the terminal reaches the launcher only.
 *
 * <p>Thread-safe.
 */
public final class ServerProcess implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ServerProcess.class);
    private static final List<String> SETTINGS = List.of("EDEN_", "TEMPORAL_", "OTEL_");
    private static final Duration POLL = Duration.ofMillis(10);

    /** Waits for the word that the watchdog knows this pid; without it (this JVM died in between) nothing is started. */
    private static final String LAUNCHER = "read -r go || exit 1; exec \"$@\" </dev/null";

    private final String name;
    private final Path log;
    private final Process process;

    private ServerProcess(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
    }

    /**
     * What to start.
     *
     * @param name for messages
     * @param command program and arguments
     * @param directory working directory
     * @param environment added to this JVM's environment, from which settings of Eden, Temporal and traces are left out
     * @param log file that standard output and error are appended to
     */
    public record Spec(String name, List<String> command, Path directory, Map<String, String> environment, Path log) {
        public Spec {
            command = List.copyOf(command);
            environment = Map.copyOf(environment);
        }
    }

    /** What an operator has set for a server of their own is none of an embedded one's. */
    static void withoutSettings(Map<String, String> environment) {
        environment.keySet().removeIf(name -> SETTINGS.stream().anyMatch(name::startsWith));
    }

    /** Starts the process and returns at once: waiting until it serves is the caller's business ({@link #awaitReady}). */
    public static ServerProcess start(Spec spec) {
        var line = new ArrayList<>(Executables.newSession());
        line.addAll(List.of("sh", "-c", LAUNCHER, "eden-launcher"));
        line.addAll(spec.command());
        var builder = new ProcessBuilder(line)
                .directory(spec.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(spec.log().toFile()));
        withoutSettings(builder.environment());
        builder.environment().putAll(spec.environment());
        try {
            Process process = builder.start();
            var started = new ServerProcess(spec.name(), spec.log(), process);
            Watchdog.ofThisJvm().add(process.pid());
            var unused =
                    process.onExit().thenAccept(ended -> Watchdog.ofThisJvm().drop(ended.pid()));
            try (OutputStream go = process.getOutputStream()) {
                go.write("go\n".getBytes(StandardCharsets.US_ASCII));
            }
            LOGGER.atDebug()
                    .addKeyValue("server", spec.name())
                    .addKeyValue("pid", process.pid())
                    .log("started");
            return started;
        } catch (IOException e) {
            throw new EmbeddedServerException(
                    spec.name() + " could not be started: " + spec.command().getFirst(), e);
        }
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public Path log() {
        return log;
    }

    /**
     * Polls {@code ready} until it answers true.
     *
     * @throws EmbeddedServerException when the process ends first or the time is over, with the last lines of its log; the
     *     process is killed then
     */
    public void awaitReady(Duration atMost, BooleanSupplier ready) {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!ready.getAsBoolean()) {
            requireAlive();
            if (System.nanoTime() > deadline) {
                kill();
                throw new EmbeddedServerException(
                        name + " was not ready after " + atMost.toMillis() + " ms.\n" + logTail(20));
            }
            pause();
        }
    }

    /** Throws with the last lines of the log when the process has ended. */
    void requireAlive() {
        if (!process.isAlive()) {
            throw new EmbeddedServerException(
                    name + " ended with exit code " + process.exitValue() + ".\n" + logTail(20));
        }
    }

    /** Whether the process is gone after at most this long. */
    public boolean awaitExit(Duration atMost) {
        try {
            return process.waitFor(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while waiting for the end of " + name, e);
        }
    }

    /** The exit code of an ended process: 128 + signal when a signal ended it. */
    public int exitCode() {
        return process.exitValue();
    }

    /** SIGTERM, then SIGKILL to whatever is left after {@code patience}. Returns when the process is gone. */
    public void stop(Duration patience) {
        stop(Signal.TERM, patience);
    }

    void stop(Signal signal, Duration patience) {
        if (process.isAlive()) {
            signal.send(pid());
            // A stopped process acts on the signal only once it runs again.
            resume();
            if (awaitExit(patience)) {
                return;
            }
            LOGGER.atWarn()
                    .addKeyValue("server", name)
                    .addKeyValue("pid", pid())
                    .log("did not stop in {} ms and is killed", patience.toMillis());
        }
        kill();
    }

    /** SIGKILL to the process and all it has started, also when suspended. Returns when all of them are gone. */
    public void kill() {
        List<ProcessHandle> all = frozenTree();
        all.forEach(each -> Signal.KILL.send(each.pid()));
        if (!awaitExit(Duration.ofSeconds(10))) {
            throw new EmbeddedServerException(name + " (pid " + pid() + ") survived SIGKILL for 10 s");
        }
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (all.stream().anyMatch(ServerProcess::runs) && System.nanoTime() < deadline) {
            pause();
        }
    }

    /** SIGSTOP to the process and all it has started: it stays, holds its sockets and answers nothing. */
    public void suspend() {
        List<ProcessHandle> ignored = frozenTree();
    }

    /** SIGCONT, children first. */
    public void resume() {
        if (process.isAlive()) {
            process.descendants().forEach(each -> Signal.CONT.send(each.pid()));
            Signal.CONT.send(pid());
        }
    }

    /** From now on the process outlives this JVM. The caller keeps {@link #pid()} to end it some day. */
    public void detach() {
        Watchdog.ofThisJvm().drop(pid());
    }

    /** The last lines of the log, of at most its last 64 KiB; empty when there is none. */
    public String logTail(int lines) {
        try (var file = new RandomAccessFile(log.toFile(), "r")) {
            long from = Math.max(0, file.length() - 65_536);
            var bytes = new byte[(int) (file.length() - from)];
            file.seek(from);
            file.readFully(bytes);
            List<String> all = new String(bytes, StandardCharsets.UTF_8).lines().toList();
            return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    /** {@link #stop} with two seconds of patience. */
    @Override
    public void close() {
        stop(Duration.ofSeconds(2));
    }

    /** The tree, parent first, stopped in that order: a stopped parent starts nothing that the list would lack. */
    private List<ProcessHandle> frozenTree() {
        if (!process.isAlive()) {
            return List.of();
        }
        Signal.STOP.send(pid());
        try (Stream<ProcessHandle> descendants = process.descendants()) {
            var all = new ArrayList<ProcessHandle>();
            all.add(process.toHandle());
            descendants.forEach(all::add);
            all.forEach(each -> Signal.STOP.send(each.pid()));
            return all;
        }
    }

    /** A child whose parent died first may stay a zombie where nobody reaps: dead all the same. */
    private static boolean runs(ProcessHandle handle) {
        if (!handle.isAlive()) {
            return false;
        }
        var stat = Path.of("/proc", Long.toString(handle.pid()), "stat");
        try {
            String text = Files.readString(stat);
            return !text.substring(text.lastIndexOf(')') + 1).startsWith(" Z");
        } catch (IOException e) {
            return handle.isAlive();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(POLL);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while waiting for a server", e);
        }
    }
}
