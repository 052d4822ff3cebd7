package dev.eden.api.cli;

import dev.eden.api.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
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

    /** Writes the ports as one JSON object, whole or not at all: for whoever started this process with ports 0. */
    static void writePorts(@Nullable Path file, Map<String, Integer> ports) {
        if (file == null) {
            return;
        }
        try {
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(fresh, Json.write(ports) + "\n");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
