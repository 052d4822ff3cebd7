package dev.eden.activities.postgres;

import java.util.List;
import java.util.OptionalLong;

/** What is free on a server's disks: PostgreSQL does not tell, its host does, by {@code df}, which a superuser may run. */
public final class HostDisk {
    private HostDisk() {}

    /** Bytes on the disk of a directory, relative to the server's data; empty where it cannot be said. */
    public static OptionalLong free(PostgresSession session, String directory) {
        try {
            return session.transaction(() -> {
                session.execute("CREATE TEMP TABLE eden_disk (line text) ON COMMIT DROP");
                session.execute("COPY pg_temp.eden_disk FROM PROGRAM 'df -Pk " + directory + "'");
                List<String> lines = session.texts("SELECT line FROM pg_temp.eden_disk");
                String[] columns = lines.getLast().trim().split("\\s+", -1);
                return OptionalLong.of(Long.parseLong(columns[3]) << 10);
            });
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return OptionalLong.empty();
        }
    }
}
