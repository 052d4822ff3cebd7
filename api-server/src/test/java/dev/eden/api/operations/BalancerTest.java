package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.eden.api.rest.MigrationEventsResource;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The example of a balancer before two servers asks the ports and paths that servers have, and outlasts a quiet event stream. */
class BalancerTest {
    private static final String FILE = "infra/haproxy/haproxy.cfg";

    private final String text = Project.text(FILE);
    private final List<String> lines = text.lines()
            .map(String::strip)
            .filter(line -> !line.startsWith("#"))
            .toList();

    @Test
    void itAsksTheServersPortsAndHealth() {
        String api = Project.defaultOf("server", "--api-port");
        String admin = Project.defaultOf("server", "--admin-port");
        assertThat(found("^bind :(\\d+)$")).containsExactly(api);
        assertThat(found("^server \\S+ \\S+:(\\d+)")).hasSize(4).containsOnly(api);
        assertThat(found("^default-server check port (\\d+) ")).hasSize(2).containsOnly(admin);
        assertThat(found("^option httpchk GET (\\S+)$"))
                .as("ready ones, and where there is none, living ones")
                .containsExactly("/health/ready", "/health/live");
        String health = Project.text("api-server/src/main/java/dev/eden/api/metrics/HealthServlet.java");
        assertThat(health).contains("/health/ready").contains("/health/live");
    }

    @Test
    void aQuietEventStreamLives() {
        for (String side : List.of("client", "server")) {
            assertThat(found("^timeout " + side + " (\\d+)s$"))
                    .singleElement()
                    .satisfies(seconds -> assertThat(Duration.ofSeconds(Long.parseLong(seconds)))
                            .isGreaterThan(MigrationEventsResource.SILENCE.multipliedBy(2)));
        }
    }

    /** A request that was sent may have been carried out. */
    @Test
    void nothingIsSentTwice() {
        assertThat(found("^retry-on (.*)$")).containsExactly("conn-failure");
    }

    /** To a server they all come from the balancer: its limit must not be reached by one client. */
    @Test
    void oneClientsFailedLoginsAreStoppedBeforeTheServersDo() {
        String limit = found("sc0_gpc0_rate ge (\\d+)").getFirst();
        Matcher servers = Pattern.compile("FAILURES = (\\d+);")
                .matcher(Project.text("api-server/src/main/java/dev/eden/api/rest/Security.java"));
        assertThat(servers.find()).isTrue();
        assertThat(2 * Integer.parseInt(limit)).isLessThan(Integer.parseInt(servers.group(1)));
    }

    @Test
    void haproxyFindsItRight() throws Exception {
        assumeTrue(
                Project.installed("haproxy"),
                "haproxy (Debian: haproxy) is not here: its configuration is not checked");
        assertThat(Project.run("haproxy", "-c", "-f", FILE)).contains("Configuration file is valid");
        String codec = "infra/haproxy/codec.cfg";
        assertThat(Project.run("env", "EDEN_CODEC=127.0.0.1:8000", "EDEN_CODEC_TOKEN=t", "haproxy", "-c", "-f", codec))
                .contains("Configuration file is valid");
        assertThatThrownBy(() -> Project.run("env", "EDEN_CODEC=127.0.0.1:8000", "haproxy", "-c", "-f", codec))
                .as("without a token all would be refused")
                .hasMessageContaining("eden token create");
    }

    private List<String> found(String pattern) {
        Pattern compiled = Pattern.compile(pattern);
        return lines.stream()
                .map(compiled::matcher)
                .filter(Matcher::find)
                .map(matcher -> matcher.group(1))
                .toList();
    }
}
