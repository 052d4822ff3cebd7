package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The image is made of what the build makes, and runs what the launcher knows. */
class ImageTest {
    private final List<String> lines = Project.text("Dockerfile").lines().toList();
    private final String launcher = Project.text("eden");

    @Test
    void stagesCopyFromStagesAndWhatTheBuildMakes() {
        Set<String> stages = new HashSet<>();
        Set<String> arguments = new HashSet<>();
        for (String line : lines) {
            Matcher argument = Pattern.compile("ARG ([A-Z_]+)=\\S+").matcher(line);
            if (argument.matches()) {
                arguments.add(argument.group(1));
            }
            Matcher from = Pattern.compile("FROM (\\S+)(?: AS (\\w+))?").matcher(line);
            if (from.matches()) {
                String image = from.group(1);
                assertThat(image.startsWith("$") ? arguments : stages).contains(image.replaceAll("[${}]", ""));
                if (from.group(2) != null) {
                    stages.add(from.group(2));
                }
            }
            Matcher copy = Pattern.compile("COPY --from=(\\w+) (\\S+) (\\S+)").matcher(line);
            if (copy.matches()) {
                assertThat(stages).contains(copy.group(1));
            }
        }
        assertThat(lines).contains("COPY --from=build /src/api-server/target/eden/lib /opt/eden/lib");
        assertThat(Project.text("api-server/pom.xml"))
                .contains("<outputDirectory>${project.build.directory}/eden/lib</outputDirectory>");
        assertThat(launcher).contains("cp \"$home/eden\" \"$out/eden\"").contains("AOTCacheOutput=\"$out/eden.aot\"");
        assertThat(Files.isExecutable(Project.ROOT.resolve("eden"))).isTrue();
    }

    @Test
    void theJavaOfTheImagesIsTheJavaOfTheCode() {
        String release = Project.text("pom.xml").replaceFirst("(?s)^.*?<release>(\\d+)</release>.*$", "$1");
        assertThat(lines.stream().filter(line -> line.startsWith("ARG "))).allMatch(line -> line.contains(release));
        assertThat(launcher).contains("wanted=" + release);
    }

    @Test
    void itRunsAsNobodyInParticularAndTellsItsHealth() {
        assertThat(lines).contains("USER 10001:10001");
        String check = lines.stream()
                .filter(line -> line.startsWith("HEALTHCHECK"))
                .findFirst()
                .orElseThrow();
        assertThat(check).contains("\"eden\", \"probe\"").contains(":8001/health/ready");
        assertThat(launcher).contains("= probe ]").contains("dev.eden.api.metrics.Probe");
    }

    @Test
    void variablesAndPortsAreTheCodes() {
        String environment = Project.text("Dockerfile");
        Matcher variable = Pattern.compile("(EDEN_[A-Z_]+)=(\\S+)").matcher(environment);
        Map<String, String> set = new HashMap<>();
        while (variable.find()) {
            set.put(variable.group(1), variable.group(2));
        }
        assertThat(Project.variables()).containsAll(set.keySet());
        assertThat(set)
                .containsEntry("EDEN_ADMIN_PORT", Project.defaultOf("server", "--admin-port"))
                .containsEntry("EDEN_METRICS_PORT", Project.defaultOf("server", "--admin-port"));
        List<String> exposed = lines.stream()
                .filter(line -> line.startsWith("EXPOSE "))
                .flatMap(line -> Stream.of(line.substring(7).split(" ")))
                .toList();
        assertThat(exposed)
                .contains(Project.defaultOf("server", "--api-port"), Project.defaultOf("server", "--admin-port"))
                .contains(Project.defaultOf("proxy", "--listen").replaceFirst("^.*:", ""));
        assertThat(lines).contains("CMD [\"server\"]", "ENTRYPOINT [\"eden\"]");
        Project.verb("server");
    }
}
