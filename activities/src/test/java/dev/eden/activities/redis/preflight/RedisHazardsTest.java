package dev.eden.activities.redis.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/redis-hazards.md says what preflight finds, each with its severities; what brings a finding about is RedisPreflightIT's. */
class RedisHazardsTest {
    private static final Path DOCUMENT = Path.of("../docs/redis-hazards.md");
    private static final Path CODE = Path.of("src/main/java/dev/eden/activities/redis/preflight");
    private static final Pattern ROW = Pattern.compile("^\\|[^|]*\\| `(redis\\.[a-z_.]+)` \\| ([a-z, ]+) \\|");
    private static final Pattern FOUND =
            Pattern.compile("findings\\.(info|warning|failure)\\(\\s*\"(redis\\.[a-z_.]+)\"");
    private static final Pattern ID = Pattern.compile("\"(redis\\.[a-z_.]+)\"");

    @Test
    void noFindingWithoutItsRowAndNoRowWithoutItsFinding() throws IOException {
        Map<String, Set<String>> found = new TreeMap<>();
        Set<String> named = new TreeSet<>();
        try (Stream<Path> files = Files.list(CODE)) {
            for (Path file : files.toList()) {
                String source = Files.readString(file);
                FOUND.matcher(source)
                        .results()
                        .forEach(one -> found.computeIfAbsent(one.group(2), _ -> new TreeSet<>())
                                .add(one.group(1)));
                ID.matcher(source).results().forEach(one -> named.add(one.group(1)));
            }
        }
        assertThat(found.keySet()).as("severities that this test can read").isEqualTo(named);
        Map<String, Set<String>> documented = new TreeMap<>();
        for (String line : Files.readAllLines(DOCUMENT)) {
            Matcher row = ROW.matcher(line);
            if (row.find()) {
                assertThat(documented.put(
                                row.group(1), new TreeSet<>(List.of(row.group(2).split(", ", -1)))))
                        .as(line)
                        .isNull();
            }
        }
        assertThat(documented).isEqualTo(found);
    }
}
