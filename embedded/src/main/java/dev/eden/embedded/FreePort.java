package dev.eden.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * TCP ports nobody else takes between the choice and the bind. Asking the system for port 0 and closing the socket gives a
 * port of the range that outgoing connections use, and any of them may take it a moment later. These ports lie below that
 * range, are tried by binding, and are held by a file lock until this JVM ends: no other Eden on this machine gets them.
 */
public final class FreePort {
    private static final int LOWEST = 11_000;
    private static final int HIGHEST = 32_000;
    private static final ConcurrentHashMap<Integer, FileLock> HELD = new ConcurrentHashMap<>();

    private FreePort() {}

    /** A port that can be bound on 127.0.0.1 and on all addresses; reserved for this JVM and its children. */
    public static int find() {
        Path folder = Cache.root().resolve("ports");
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new EmbeddedServerException("could not make " + folder, e);
        }
        for (int attempt = 0; attempt < 2_000; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
            if (!HELD.containsKey(port) && reserve(folder, port)) {
                return port;
            }
        }
        throw new EmbeddedServerException("no free TCP port between " + LOWEST + " and " + HIGHEST);
    }

    /** Reserves this one, as {@link #find} does; false where somebody has it. */
    public static boolean take(int port) {
        Path folder = Cache.root().resolve("ports");
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new EmbeddedServerException("could not make " + folder, e);
        }
        return reserve(folder, port);
    }

    private static boolean reserve(Path folder, int port) {
        try {
            FileChannel channel = FileChannel.open(
                    folder.resolve(Integer.toString(port)), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                FileLock lock = channel.tryLock();
                if (lock != null && bindable("127.0.0.1", port) && bindable("0.0.0.0", port)) {
                    HELD.put(port, lock);
                    return true;
                }
            } catch (OverlappingFileLockException e) {
                // Another thread of this JVM is at it.
            }
            channel.close();
            return false;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean bindable(String address, int port) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName(address), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
