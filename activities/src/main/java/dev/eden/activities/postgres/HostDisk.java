package dev.eden.activities.postgres;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What is free on a server's disks: PostgreSQL does not tell, its host does, by {@code df}, which a superuser may run. */
public final class HostDisk {
    private static final int FREE = 3;
    private static final int MOUNT = 5;

    private HostDisk() {}

    /**
     * One of a server's.
     *
     * @param mount where it is in the host's tree
     * @param free bytes
     */
    public record Disk(String mount, long free) {}

    /** Bytes on the disk of a directory, relative to the server's data; empty where it cannot be said. */
    public static OptionalLong free(PostgresSession session, String directory) {
        return of(session, directory).map(disk -> OptionalLong.of(disk.free())).orElse(OptionalLong.empty());
    }

    /** The disk of a directory, relative to the server's data; empty where it cannot be said. */
    public static Optional<Disk> of(PostgresSession session, String directory) {
        try {
            return session.transaction(() -> {
                session.execute("CREATE TEMP TABLE eden_disk (line text) ON COMMIT DROP");
                session.execute("COPY pg_temp.eden_disk FROM PROGRAM 'df -Pk " + directory + "'");
                List<String> lines = session.texts("SELECT line FROM pg_temp.eden_disk");
                String[] columns = lines.getLast().trim().split("\\s+", -1);
                return Optional.of(new Disk(
                        String.join(" ", Arrays.asList(columns).subList(MOUNT, columns.length)),
                        Long.parseLong(columns[FREE]) << 10));
            });
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException | IndexOutOfBoundsException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
