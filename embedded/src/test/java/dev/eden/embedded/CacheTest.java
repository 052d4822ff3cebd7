package dev.eden.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    private Path dir;

    /** Two commands started together on a fresh machine unpack two versions of PostgreSQL, each in its own order. */
    @Test
    void twoProcessesThatFillTwoEntriesInTheOppositeOrderBothGetBoth() throws Exception {
        Path root = dir.resolve("root");
        Files.createDirectories(root);
        try (ServerProcess other = JavaProcess.start(
                Other.class.getName(),
                List.of("-Xmx64m"),
                List.of(root.toString()),
                Map.of(),
                dir.resolve("other.log"))) {
            both(root, "one", "two");
            await().atMost(LONG).until(() -> !other.isAlive());
            assertThat(other.exitCode()).as(other.logTail(20)).isZero();
        }
        assertThat(root.resolve("one")).hasContent("one");
        assertThat(root.resolve("two")).hasContent("two");
    }

    /** Fills one entry while it asks for the other, and ends the filling only when the other process does the same. */
    private static void both(Path root, String mine, String theirs) throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var filled = threads.submit(() -> Cache.entry(root, mine, work -> {
                mark(root, "filling-" + mine);
                await().atMost(LONG)
                        .until(() -> Files.exists(root.resolve("asked-for-" + mine))
                                && Files.exists(root.resolve("asked-for-" + theirs)));
                Files.writeString(work, mine);
            }));
            await().atMost(LONG).until(() -> Files.exists(root.resolve("filling-" + theirs)));
            mark(root, "asked-for-" + theirs);
            Cache.entry(root, theirs, work -> {
                throw new IOException(theirs + " is the other process's to fill");
            });
            filled.get();
        }
    }

    private static void mark(Path root, String name) throws IOException {
        Files.createFile(root.resolve(name));
    }

    static final class Other {
        private Other() {}

        public static void main(String[] args) throws Exception {
            both(Path.of(args[0]), "two", "one");
        }
    }
}
