package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.api.operations.Documents;
import dev.eden.api.operations.Project;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** {@code eden dev}, the guide's first command, as a process of its own: what it prints is all that the guide's next step needs. */
class DevIT {
    private static final String GUIDE = "docs/guide/your-own-redis.md";

    @Test
    void theGuideBeginsOnWhatItPrints(@TempDir Path folder) throws Exception {
        Path said = folder.resolve("said");
        Process dev = start(folder, said);
        try {
            await().atMost(Duration.ofSeconds(90))
                    .untilAsserted(() -> assertThat(
                                    dev.isAlive() && !printed(said, "(next): ").isEmpty())
                            .as(() -> text(said))
                            .isTrue());
            URI source = URI.create(printed(said, "a source +(\\S+)"));
            int port = Integer.parseInt(printed(said, "applications +redis-cli -p (\\d+)"));
            Pasted shell = new Pasted(
                    folder,
                    Map.of(
                            "EDEN",
                            printed(said, "API +(\\S+)"),
                            "TOKEN",
                            printed(said, "admin token +(\\S+)"),
                            "SOURCE",
                            source.toString(),
                            "TARGET",
                            printed(said, "a target +(\\S+)"),
                            "PROXY_PORT",
                            Integer.toString(port)));
            String answers = shell.run(Documents.runBy("GuideIT", GUIDE).stream()
                    .filter(block -> block.heading().matches("[12]\\. .*"))
                    .map(Documents.Block::text)
                    .collect(Collectors.joining("\n")));
            assertThat(answers).contains("\"id\":\"old\"", "\"id\":\"new\"", "\"role\":");
            try (Jedis through = new Jedis("127.0.0.1", port);
                    Jedis direct = new Jedis(source)) {
                // The proxy hears of the first endpoint a moment after the answer.
                await().ignoreExceptions().until(() -> through.set("hello", "world"), "OK"::equals);
                assertThat(direct.get("hello")).isEqualTo("world");
            }
            dev.destroy();
            assertThat(dev.waitFor(30, TimeUnit.SECONDS)).as(() -> text(said)).isTrue();
            assertThatThrownBy(() -> new Socket(source.getHost(), source.getPort()).close())
                    .as("its servers end with it")
                    .isInstanceOf(ConnectException.class);
        } finally {
            dev.destroyForcibly();
        }
    }

    /** As the guide prints it, on ports that are free. */
    private static Process start(Path folder, Path said) throws IOException {
        Matcher printed = Pattern.compile("(?m)^\\./eden (dev .+)$").matcher(Project.text(GUIDE));
        assertThat(printed.find()).isTrue();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Eden.class.getName()));
        Documents.words(printed.group(1)).forEach(word -> command.add(word.replaceFirst(":\\d+$", ":0")));
        command.addAll(List.of("--api-port=0", "--admin-port=0", "--data-dir=" + folder.resolve("data")));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("EDEN_"));
        return builder.start();
    }

    private static String printed(Path said, String pattern) {
        Matcher matcher = Pattern.compile("(?m)^ *" + pattern).matcher(text(said));
        return matcher.find() ? matcher.group(1) : "";
    }

    private static String text(Path said) {
        try {
            return Files.readString(said);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
