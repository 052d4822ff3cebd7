package dev.eden.embedded;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What is unpacked once per user: {@code $XDG_CACHE_HOME/eden} or {@code ~/.cache/eden}. Everything in it can be deleted at
 * any time no server runs. Entries appear by rename, under a lock that holds between processes: nobody sees half of one.
 */
final class Cache {
    private static final Duration LOCK_POLL = Duration.ofMillis(50);
    private static final ConcurrentHashMap<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

    private Cache() {}

    interface Fill {
        /** Makes the entry at {@code work}, which does not exist yet and lies beside its final place. */
        void into(Path work) throws IOException;
    }

    static Path root() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg == null || xdg.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return base.toAbsolutePath().resolve("eden");
    }

    /** The entry (a file or a folder) at this path under the root, made first if it is not there. */
    static Path entry(String relative, Fill fill) {
        return entry(root(), relative, fill);
    }

    static Path entry(Path root, String relative, Fill fill) {
        Path entry = root.resolve(relative);
        if (Files.exists(entry)) {
            return entry;
        }
        var inProcess = LOCKS.computeIfAbsent(entry, path -> new ReentrantLock());
        inProcess.lock();
        try {
            Path folder = Objects.requireNonNull(entry.getParent());
            Files.createDirectories(folder);
            Path lockFile = folder.resolve("." + entry.getFileName() + ".lock");
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock held = lock(channel)) {
                if (held.isValid() && !Files.exists(entry)) {
                    Path work = folder.resolve("." + entry.getFileName() + ".new");
                    delete(work);
                    fill.into(work);
                    move(work, entry);
                }
            }
            return entry;
        } catch (IOException e) {
            throw new EmbeddedServerException("could not prepare " + entry + ": " + e, e);
        } finally {
            inProcess.unlock();
        }
    }

    /**
     * Asks again and again instead of waiting in {@code fcntl}: the kernel looks for deadlocks among processes, not threads, so two
     * processes that each fill one entry and wait for the other's would be told of one (POSIX, fcntl, EDEADLK).
     */
    private static FileLock lock(FileChannel channel) throws IOException {
        while (true) {
            FileLock held = channel.tryLock();
            if (held != null) {
                return held;
            }
            LockSupport.parkNanos(LOCK_POLL.toNanos());
            if (Thread.currentThread().isInterrupted()) {
                throw new ClosedByInterruptException();
            }
        }
    }

    /** An executable that is a resource of the class path. */
    static Path executable(String relative, String resource, String whereFrom) {
        return entry(relative, work -> {
            try (@Nullable InputStream in = Cache.class.getClassLoader().getResourceAsStream(resource)) {
                if (in == null) {
                    throw new IOException("the class path has no " + resource + " (" + whereFrom + ")");
                }
                Files.copy(in, work);
            }
            Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxr-xr-x"));
        });
    }

    /** Removes a file or a folder with all in it, symbolic links not followed; what is not there is fine. */
    static void delete(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(path, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.deleteIfExists(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw new FileSystemException(to.toString(), null, "this file system cannot rename " + from);
        }
    }
}
