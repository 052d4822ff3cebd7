package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A stranger's {@code docker compose up} meets names, ports and options that the code has. */
class ComposeTest {
    private static final String OWN_IMAGE = "eden:" + Project.version();

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
    void mountsAndPublishedPortsAreWhatImagesAndCodeReadAndListenOn() {
        assertThat(Composition.problems(compose)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "./infra/prometheus:/etc/prometheus:ro    | ./infra/prometeus:/etc/prometheus:ro        | is not in"
                        + " the project",
                "./infra/prometheus:/etc/prometheus:ro    | ./infra/grafana:/etc/prometheus:ro          | prometheus"
                        + " reads /etc/prometheus/rules.yml",
                "./infra/prometheus:/etc/prometheus:ro    | ./infra/prometheus:/etc/prometheus          | can be"
                        + " written",
                "--config.file=/etc/prometheus/           | --config.file=/etc/                         | prometheus"
                        + " reads /etc/prometheus.yml",
                "/provisioning:/etc/grafana/provisioning  | /provisioning:/etc/grafana/conf             | grafana"
                        + " reads /etc/grafana/provisioning/datasources",
                "/dashboards:/etc/grafana/dashboards      | /dashboards:/var/lib/dashboards             | grafana"
                        + " reads /etc/grafana/dashboards/eden.json",
                "eden:/var/lib/eden:ro                    | eden:/opt/eden:ro                           | its data are"
                        + " in /var/lib/eden",
                "redis-source:/data                       | redis-source:/var/lib/redis                 | its data are"
                        + " in /data",
                "redis-source:/data                       | redis-target:/data                          | nobody"
                        + " mounts",
                ":8000:8000                               | :8000:8080                                  | it listens"
                        + " on 8000",
                ":6380:6379                               | :6380:6380                                  | it listens"
                        + " on 6379",
                ":6380:6379                               | :6379:6379                                  | published"
                        + " twice",
                "${EDEN_BIND:-127.0.0.1}:3000:3000        | 3000:3000                                   | is reached"
                        + " from other machines",
                "GF_AUTH_DISABLE_LOGIN_FORM               | GF_SERVER_HTTP_PORT                         | this test"
                        + " does not read it",
                "EDEN_TEMPORAL_UI: http://127.0.0.1:8080  | EDEN_TEMPORAL_UI: http://127.0.0.1:8233     | temporal-ui"
                        + " is not published",
                "EDEN_PUBLIC_URL: http://127.0.0.1:8000   | EDEN_PUBLIC_URL: http://127.0.0.1:8001      | eden is not"
                        + " published",
            })
    void whatIsWrongWithThemIsSeen(String right, String wrong, String problem) {
        String text = Project.text("docker-compose.yml");
        assertThat(text).contains(right);
        assertThat(Composition.problems(Project.parsedYaml(text.replace(right, wrong))))
                .anyMatch(found -> found.contains(problem));
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

    /** Its image brings an administrator with a password that everybody knows. */
    @Test
    void nobodyIsGrafanasAdministrator() {
        assertThat(environment(service("grafana")))
                .containsEntry("GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION", "true")
                .containsEntry("GF_AUTH_BASIC_ENABLED", "false")
                .containsEntry("GF_AUTH_DISABLE_LOGIN_FORM", "true")
                .containsEntry("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer");
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
