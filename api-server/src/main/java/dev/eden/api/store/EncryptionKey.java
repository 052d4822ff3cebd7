package dev.eden.api.store;

import dev.eden.api.problem.StartupException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the keys come from: what was given ({@code EDEN_ENCRYPTION_KEY} or its file), else the file {@code encryption.key} of the data directory. Each is base64 of 32
 * bytes; where there are several, parted by commas or white space, the first seals and all open.
 */
public final class EncryptionKey {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private EncryptionKey() {}

    /**
     * Makes the file, mode 0600, when neither is there and {@code create} is set; refuses a file that others can read. Throws
     * {@link StartupException}.
     */
    public static List<byte[]> load(@Nullable String given, Path dataDirectory, boolean create) {
        if (given != null && !given.isBlank()) {
            return decode(given, "");
        }
        Path file = file(dataDirectory);
        try {
            if (create && !Files.exists(file)) {
                make(file);
            }
            return existing(file);
        } catch (IOException e) {
            throw unusable(file, e.getClass().getSimpleName());
        }
    }

    /** What {@link #load} would refuse, without making anything. Throws {@link StartupException}. */
    public static void check(@Nullable String given, Path dataDirectory, boolean create) {
        Path file = file(dataDirectory);
        if ((given != null && !given.isBlank()) || !create || Files.exists(file)) {
            load(given, dataDirectory, false);
            return;
        }
        Path there = file.toAbsolutePath().getParent();
        while (there != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (there == null || !Files.isDirectory(there) || !Files.isWritable(there)) {
            throw unusable(file, "nothing can be made in " + there);
        }
    }

    private static Path file(Path dataDirectory) {
        return dataDirectory.resolve("encryption.key");
    }

    private static List<byte[]> existing(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new StartupException(
                    "there is no encryption key: neither EDEN_ENCRYPTION_KEY nor " + file,
                    "give the key or the data directory of the server whose store this is");
        }
        refuseWhatOthersCanRead(file);
        return decode(Files.readString(file), " of " + file);
    }

    private static StartupException unusable(Path file, String why) {
        return new StartupException(
                "the encryption key file " + file + " can't be used: " + why,
                "make the data directory writable for this user, or set EDEN_ENCRYPTION_KEY");
    }

    private static void make(Path file) throws IOException {
        Path directory = java.util.Objects.requireNonNull(file.toAbsolutePath().getParent());
        Files.createDirectories(directory);
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        Path fresh =
                Files.createTempFile(directory, "encryption", ".new", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try {
            Files.writeString(fresh, Base64.getEncoder().encodeToString(key) + "\n");
            try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            // A link, not a move: of two processes that start together the first one's key stays.
            Files.createLink(file, fresh);
        } catch (FileAlreadyExistsException another) {
            // The other process's key is the key.
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private static void refuseWhatOthersCanRead(Path file) throws IOException {
        Set<PosixFilePermission> mode = EnumSet.copyOf(Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS));
        mode.removeAll(Set.of(
                PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE));
        if (!mode.isEmpty()) {
            throw new StartupException(
                    "others than its owner have access to the encryption key file " + file,
                    "chmod 600 it, and think about whether the key has to be replaced");
        }
    }

    private static List<byte[]> decode(String base64, String from) {
        List<byte[]> keys = new ArrayList<>();
        try {
            for (String one : base64.strip().split("[,\\s]+")) {
                byte[] key = Base64.getDecoder().decode(one);
                if (key.length != 32) {
                    throw bad(from);
                }
                keys.add(key);
            }
        } catch (IllegalArgumentException e) {
            throw bad(from);
        }
        return List.copyOf(keys);
    }

    private static StartupException bad(String from) {
        return new StartupException(
                "the encryption key" + from + " is not 32 bytes in base64",
                "make one with: openssl rand -base64 32; of several, parted by commas or lines, the first seals");
    }
}
