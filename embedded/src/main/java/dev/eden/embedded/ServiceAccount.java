package dev.eden.embedded;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Who PostgreSQL runs as: the user of this process, or {@code nobody} where that is root, which PostgreSQL refuses. */
sealed interface ServiceAccount {
    /** For names of files. */
    String name();

    /** Words before a command that make it run as this account, able to reach these paths; the command keeps the pid. */
    List<String> prefix(List<Path> reach);

    /** The {@link Cache}, or another folder like it that this account can reach. */
    Path cacheRoot();

    /** Gives a file, or a folder and all in it, to this account. */
    void own(Path path) throws IOException;

    static ServiceAccount ofThisProcess() {
        return "root".equals(System.getProperty("user.name")) ? new Nobody() : new Self();
    }

    record Self() implements ServiceAccount {
        @Override
        public String name() {
            return System.getProperty("user.name", "user");
        }

        @Override
        public List<String> prefix(List<Path> reach) {
            return List.of();
        }

        @Override
        public Path cacheRoot() {
            return Cache.root();
        }

        @Override
        public void own(Path path) {}
    }

    /**
     * {@code setpriv} and {@code chroot --userspec} both exec, unlike {@code su} and {@code runuser}. A folder only root can
     * enter on the way to the data (root's home, a private temporary folder) is passed by the capability to search any
     * directory, which setpriv can hand down. That is not enough for the binaries: PostgreSQL looks for them by
     * {@code access(2)}, which ignores capabilities, so they go to the system's cache when root's home is closed.
     */
    record Nobody() implements ServiceAccount {
        private static final int CAP_DAC_READ_SEARCH = 2;
        private static final int NUMBER = uid();

        @Override
        public String name() {
            return "nobody";
        }

        @Override
        public List<String> prefix(List<Path> reach) {
            Optional<Path> closed = reach.stream()
                    .flatMap(path -> Optional.ofNullable(closedFolder(path)).stream())
                    .findFirst();
            Optional<Path> setpriv = Executables.onPath("setpriv");
            String id = Integer.toString(NUMBER);
            if (setpriv.isPresent() && closed.isEmpty()) {
                return List.of(setpriv.get().toString(), "--reuid=" + id, "--regid=" + id, "--clear-groups");
            }
            if (setpriv.isPresent() && maySearchAnywhere()) {
                return List.of(
                        setpriv.get().toString(),
                        "--reuid=" + id,
                        "--regid=" + id,
                        "--clear-groups",
                        "--inh-caps=-all,+dac_read_search",
                        "--ambient-caps=-all,+dac_read_search");
            }
            if (closed.isPresent()) {
                throw new EmbeddedServerException("PostgreSQL does not run as root, and the user nobody cannot enter "
                        + closed.get() + ". Run Eden as another user, or open that folder (chmod o+x), or choose"
                        + " another one (XDG_CACHE_HOME for the binaries).");
            }
            Path chroot = Executables.onPath("chroot")
                    .orElseThrow(() -> new EmbeddedServerException(
                            "PostgreSQL does not run as root, and neither setpriv nor chroot is here to change the user."
                                    + " Run Eden as another user."));
            return List.of(chroot.toString(), "--userspec=" + id + ":" + id, "/");
        }

        @Override
        public Path cacheRoot() {
            Path own = Cache.root();
            return closedFolder(own.resolve("postgres")) == null ? own : Path.of("/var/cache/eden");
        }

        @Override
        public void own(Path path) throws IOException {
            Files.walkFileTree(path, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
                        throws IOException {
                    chown(folder);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    chown(file);
                    return FileVisitResult.CONTINUE;
                }
            });
        }

        private static void chown(Path path) throws IOException {
            Files.setAttribute(path, "unix:uid", NUMBER);
            Files.setAttribute(path, "unix:gid", NUMBER);
        }

        /** The first folder above the path that others may not search, or null. */
        private static @Nullable Path closedFolder(Path path) {
            for (Path folder = path.toAbsolutePath().getParent(); folder != null; folder = folder.getParent()) {
                try {
                    if (Files.exists(folder)
                            && !Files.getPosixFilePermissions(folder).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                        return folder;
                    }
                } catch (IOException e) {
                    return folder;
                }
            }
            return null;
        }

        private static boolean maySearchAnywhere() {
            try {
                return Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(line -> line.startsWith("CapBnd:"))
                        .anyMatch(line ->
                                (Long.parseUnsignedLong(line.substring(7).strip(), 16) & (1L << CAP_DAC_READ_SEARCH))
                                        != 0);
            } catch (IOException e) {
                return false;
            }
        }

        private static int uid() {
            try {
                return Files.readAllLines(Path.of("/etc/passwd")).stream()
                        .map(line -> line.split(":", -1))
                        .filter(fields -> fields.length > 2 && fields[0].equals("nobody"))
                        .map(fields -> Integer.parseInt(fields[2]))
                        .findFirst()
                        .orElse(65_534);
            } catch (IOException e) {
                return 65_534;
            }
        }
    }
}
