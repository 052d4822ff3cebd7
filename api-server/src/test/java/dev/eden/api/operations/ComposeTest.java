package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A stranger's {@code docker compose up} meets names, ports and options that the code has. */
class ComposeTest {
    private static final String OWN_IMAGE = "eden:" + Project.version();
    private static final Pattern PUBLISHED = Pattern.compile("\\$\\{EDEN_BIND:-127\\.0\\.0\\.1}:(\\d+):(\\d+)");

    private final Map<String, Object> compose = Project.yaml("docker-compose.yml");
    private final Map<String, Object> services = Project.map(compose, "services");

    @Test
    void everyImageIsPinnedAndOursIsThisVersion() {
        List<String> images = each().values().stream()
                .map(service -> String.valueOf(service.get("image")))
                .toList();
        assertThat(images)
                .allMatch(image -> image.matches("[a-z/-]+:v?\\d+\\.?[0-9a-z.-]*"), "has a version for a tag");
        assertThat(images).contains(OWN_IMAGE);
        assertThat(tag("postgres")).as("the store needs PostgreSQL 13").isGreaterThanOrEqualTo(13);
    }

    @Test
    void edensServicesAreCommandsThatItsCommandLineUnderstands() {
        assertThat(own()).hasSize(3);
        own().forEach((name, service) -> {
            List<String> command = Project.list(service, "command").stream()
                    .map(String::valueOf)
                    .toList();
            List<String> arguments = new ArrayList<>(command);
            environment(service).forEach((variable, value) -> {
                if (variable.equals("EDEN_PROXY_NAME")) {
                    arguments.addAll(List.of("--name", value));
                }
            });
            Project.parse(arguments);
        });
    }

    @Test
    void everyVariableOfEdensServicesIsReadByTheCode() {
        assertThat(Project.variables()).contains("EDEN_DATABASE_URL", "EDEN_METRICS_PORT");
        own().forEach((name, service) -> assertThat(Project.variables())
                .as(name)
                .containsAll(environment(service).keySet()));
    }

    @Test
    void addressesNameServicesAndTheirPorts() {
        own().forEach((name, service) -> {
            URI store = URI.create(environment(service).getOrDefault("EDEN_DATABASE_URL", "not-said:/"));
            assertThat(services).as(name).containsKey(store.getHost());
            assertThat(store.getPort()).isEqualTo(5432);
            String temporal = environment(service).get("TEMPORAL_ADDRESS");
            assertThat(temporal).isIn(null, "temporal:7233");
        });
        assertThat(services).containsKey("temporal");
        String scraped = Project.text("infra/prometheus/prometheus.yml");
        own().keySet().forEach(name -> assertThat(scraped).contains(name + ":" + adminPort()));
    }

    @Test
    void publishedPortsAreThoseThatEdenListensOn() {
        Map<String, String> inside = new LinkedHashMap<>();
        each().forEach((name, service) -> Project.list(service, "ports").forEach(port -> {
            Matcher matcher = PUBLISHED.matcher(String.valueOf(port));
            assertThat(matcher.matches())
                    .as(name + ": " + port + " is reached from this machine only")
                    .isTrue();
            inside.put(matcher.group(1), name + ":" + matcher.group(2));
        }));
        assertThat(inside)
                .containsEntry("8000", "eden:" + Project.defaultOf("server", "--api-port"))
                .containsEntry("6379", "proxy-1:" + port(Project.defaultOf("proxy", "--listen")))
                .containsEntry("6380", "proxy-2:" + port(Project.defaultOf("proxy", "--listen")))
                .containsEntry("9090", "prometheus:9090")
                .containsEntry("3000", "grafana:3000")
                .containsEntry("8080", "temporal-ui:8080");
    }

    @Test
    void mountedFilesAreThere() {
        Map<String, Object> volumes = Project.map(compose, "volumes");
        each().forEach((name, service) -> Project.list(service, "volumes").forEach(volume -> {
            String from = String.valueOf(volume).split(":")[0];
            if (from.startsWith("./")) {
                assertThat(Files.isDirectory(Project.ROOT.resolve(from)))
                        .as(from)
                        .isTrue();
            } else {
                assertThat(volumes).as(name).containsKey(from);
            }
        }));
        assertThat(service("prometheus").toString()).contains("--config.file=/etc/prometheus/prometheus.yml");
        assertThat(Project.ROOT.resolve("infra/prometheus/prometheus.yml")).exists();
        String home =
                environment(service("grafana")).getOrDefault("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", "not said");
        assertThat(home).startsWith("/etc/grafana/");
        assertThat(Project.ROOT.resolve(home.replace("/etc/grafana/", "infra/grafana/")))
                .exists();
    }

    /** A server that finds no namespace ends, and with it the whole {@code up}. */
    @Test
    void edensServerIsStartedOnceItsTemporalHasTheNamespace() {
        String namespace = environment(service("eden")).get("TEMPORAL_NAMESPACE");
        assertThat(Project.map(Project.map(service("eden"), "depends_on"), "temporal"))
                .containsEntry("condition", "service_healthy");
        assertThat(Project.list(Project.map(service("temporal"), "healthcheck"), "test"))
                .contains("describe", "--namespace", namespace);
    }

    @Test
    void noSecretStandsInTheFile() {
        each().forEach((name, service) -> environment(service).forEach((variable, value) -> {
            if (variable.matches(".*(PASSWORD|TOKEN|KEY|PWD).*")) {
                assertThat(value).as(name + ": " + variable).matches("\\$\\{[A-Z_]+:\\?.+}");
            }
        }));
    }

    private static String adminPort() {
        return Project.defaultOf("server", "--admin-port");
    }

    private static String port(String address) {
        return address.substring(address.lastIndexOf(':') + 1);
    }

    private int tag(String service) {
        String image = String.valueOf(service(service).get("image"));
        return Integer.parseInt(image.replaceFirst("^.*:(\\d+).*$", "$1"));
    }

    private Map<String, Object> service(String name) {
        return Project.map(services, name);
    }

    private Map<String, Map<String, Object>> each() {
        Map<String, Map<String, Object>> all = new LinkedHashMap<>();
        services.keySet().forEach(name -> all.put(name, Project.map(services, name)));
        return all;
    }

    private Map<String, Map<String, Object>> own() {
        Map<String, Map<String, Object>> own = each();
        own.values().removeIf(service -> !OWN_IMAGE.equals(service.get("image")));
        return own;
    }

    private static Map<String, String> environment(Map<String, Object> service) {
        Map<String, String> variables = new LinkedHashMap<>();
        if (service.containsKey("environment")) {
            Project.map(service, "environment").forEach((name, value) -> variables.put(name, String.valueOf(value)));
        }
        return variables;
    }
}
