package dev.eden.api.cli;

import dev.eden.api.json.Json;
import dev.eden.api.problem.StartupException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Keeps a process until it is told to end, and tells others where it listens. */
final class Running {
    private Running() {}

    /** A start that does not heed its interruption is left behind: what it has begun ends with the process. */
    private static final Duration START_PATIENCE = Duration.ofSeconds(10);

    /**
     * Starts {@code part}, which is closed when the process gets SIGTERM or SIGINT. One that comes while it starts interrupts it: a start that fails
     * takes back what it has begun.
     */
    static <T extends AutoCloseable> T start(Supplier<T> part) {
        CompletableFuture<T> started = new CompletableFuture<>();
        Thread starter = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(starter, started)));
        try {
            T running = part.get();
            started.complete(running);
            return running;
        } catch (RuntimeException | Error e) {
            started.completeExceptionally(e);
            throw e;
        }
    }

    /** Waits for the end of the process. */
    static void untilSignalled() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** That {@link #writePorts} will be able to, before anything has started. Throws {@link StartupException}. */
    static void requireFolder(@Nullable Path file) {
        if (file == null) {
            return;
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
            throw unwritable(file);
        }
    }

    private static StartupException unwritable(Path file) {
        return new StartupException(
                "the ports' file " + file + " can't be written", "name one in a folder that this process can write");
    }

    private static void end(Thread starter, CompletableFuture<? extends AutoCloseable> started) {
        if (!started.isDone()) {
            starter.interrupt();
        }
        AutoCloseable part;
        try {
            part = started.get(START_PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            return;
        } catch (TimeoutException | InterruptedException e) {
            System.err.println("eden: the start did not end in " + START_PATIENCE.toSeconds() + " s");
            return;
        }
        try {
            part.close();
        } catch (Exception e) {
            System.err.println("eden: closing failed: " + e);
        }
    }

    /** Writes the ports as one JSON object, whole or not at all: for whoever started this process with ports 0. Where it can't, the process has to end. */
    static void writePorts(@Nullable Path file, Map<String, Integer> ports) {
        if (file == null) {
            return;
        }
        try {
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(fresh, Json.write(ports) + "\n");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw unwritable(file);
        }
    }
}
