package dev.eden.api.cli;

import dev.eden.api.json.Json;
import dev.eden.api.problem.StartupException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Keeps a process until it is told to end, and tells others where it listens. */
final class Running {
    private Running() {}

    /** Returns when the process gets SIGTERM or SIGINT, after {@code part} has been closed. */
    static void untilSignalled(AutoCloseable part) {
        CountDownLatch never = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                part.close();
            } catch (Exception e) {
                System.err.println("eden: closing failed: " + e);
            }
        }));
        try {
            never.await();
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

    /**
     * Writes the ports as one JSON object, whole or not at all: for whoever started this process with ports 0. Where it can't, {@code part}
     * is closed: whoever started it would not find it.
     */
    static void writePorts(@Nullable Path file, Map<String, Integer> ports, AutoCloseable part) {
        if (file == null) {
            return;
        }
        try {
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(fresh, Json.write(ports) + "\n");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            try {
                part.close();
            } catch (Exception closing) {
                System.err.println("eden: closing failed: " + closing);
            }
            throw unwritable(file);
        }
    }
}
