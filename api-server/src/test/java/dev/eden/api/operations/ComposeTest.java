package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A stranger's {@code docker compose up} meets names, ports and options that the code has. */
class ComposeTest {
    private static final String OWN_IMAGE = "eden:" + Project.version();

    private static final String TEXT = Project.text("docker-compose.yml");

    private final Map<String, Object> compose = Project.parsedYaml(TEXT);
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
        assertThat(own()).hasSize(5);
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
        assertThat(scraped())
                .containsExactlyInAnyOrderElementsOf(own().keySet().stream()
                        .map(name -> name + ":" + adminPort())
                        .toList());
    }

    /** Those that are always there by their names, those of a profile by what DNS knows: who is not there is not down. */
    private List<String> scraped() {
        List<String> targets = new ArrayList<>();
        for (Object job : Project.list(Project.yaml("infra/prometheus/prometheus.yml"), "scrape_configs")) {
            for (Object fixed : Project.list(Project.cast(job), "static_configs")) {
                Project.list(Project.cast(fixed), "targets").forEach(target -> targets.add(String.valueOf(target)));
            }
            for (Object found : Project.list(Project.cast(job), "dns_sd_configs")) {
                Project.list(Project.cast(found), "names").forEach(name -> {
                    assertThat(Project.list(service(String.valueOf(name)), "profiles"))
                            .as("%s", name)
                            .isNotEmpty();
                    targets.add(name + ":" + Project.cast(found).get("port"));
                });
            }
        }
        return targets;
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
                "postgres-target:/var/lib/postgresql      | postgres-target:/var/lib/postgresql/data    | its data are"
                        + " in /var/lib/postgresql",
                "- postgres-source:/var/lib/              | - ./infra/compose:/var/lib/                 | forgets its"
                        + " data",
                "/docker-entrypoint-initdb.d              | /docker-entrypoint.d                        | reads"
                        + " /docker-entrypoint-initdb.d/orders.sh",
                "wal_level=logical                        | wal_level=replica                           | can't be moved",
                ":5433:5432                               | :5433:6379                                  | it listens"
                        + " on 5432",
                "depends_on: [postgres-proxy-1]           | depends_on: [load]                          | of another"
                        + " profile",
                "/etc/eden/codec.cfg                      | /etc/eden/haproxy.conf                      | temporal-codec"
                        + " reads /etc/eden/haproxy.conf",
                ":8081:8081                               | :8081:8080                                  | it listens"
                        + " on 8081",
                "EDEN_CODEC: eden:8000                    | EDEN_CODEC: eden:8001                       | the codec is"
                        + " asked at eden:8001",
                "EDEN_PUBLIC_URL: http://127.0.0.1:8000   | EDEN_PUBLIC_URL: http://127.0.0.1:8001      | eden is not"
                        + " published",
            })
    void whatIsWrongWithThemIsSeen(String right, String wrong, String problem) {
        assertThat(TEXT).contains(right);
        assertThat(Composition.problems(Project.parsedYaml(TEXT.replace(right, wrong))))
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
                assertThat(value)
                        .as("%s: %s is asked for, or is empty", name, variable)
                        .matches("\\$\\{[A-Z_]+:(\\?.+|-)}");
            }
        }));
    }

    /** What both print makes a file with all that must be there. */
    @Test
    void theSecretsThatAreAskedForAreThoseThatTheFirstLinesMake() {
        Set<String> asked = Pattern.compile("\\$\\{(EDEN_[A-Z_]+):\\?")
                .matcher(TEXT)
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toSet());
        asked.add("EDEN_DEMO_PASSWORD"); // not asked for: compose would ask everybody, also without its profile
        Matcher line = Pattern.compile("(?m)^# *(\\(umask 077; for name in ([A-Z_ ]+); do .*)$")
                .matcher(TEXT);
        assertThat(line.find()).isTrue();
        assertThat(Arrays.stream(line.group(2).split(" ")).map(name -> "EDEN_" + name))
                .containsExactlyInAnyOrderElementsOf(asked);
        assertThat(Project.text("docs/guide/compose.md")).contains(line.group(1));
    }

    /** Hosts, ports and databases of its commands, and the profiles. */
    @Test
    void theGuideNamesWhatIsInTheFile() {
        String guide = Project.text("docs/guide/compose.md");
        List<String> addresses = Pattern.compile("[/@]((?:redis|postgres)-[a-z]+:\\d+(?:/[a-z]+)?)")
                .matcher(guide)
                .results()
                .map(found -> found.group(1))
                .toList();
        assertThat(addresses).hasSize(4).allSatisfy(address -> {
            URI uri = URI.create("any://" + address);
            String image = String.valueOf(service(uri.getHost()).get("image"));
            assertThat(uri.getPort()).isEqualTo(image.startsWith("redis:") ? 6379 : 5432);
            assertThat(uri.getPath().replace("/", ""))
                    .isEqualTo(environment(service(uri.getHost())).getOrDefault("POSTGRES_DB", ""));
        });
        Set<Object> profiles = each().values().stream()
                .flatMap(service -> Project.list(service, "profiles").stream())
                .collect(Collectors.toSet());
        assertThat(Pattern.compile("--profile ([a-z]+)")
                        .matcher(guide)
                        .results()
                        .map(found -> (Object) found.group(1))
                        .collect(Collectors.toSet()))
                .isEqualTo(profiles);
    }

    /** Compose's own command line, where it is: it needs no engine for that. */
    @ParameterizedTest
    @ValueSource(strings = {"", "--profile postgres", "--profile load --profile postgres --profile codec"})
    void composeItselfFindsItRight(String profiles) throws Exception {
        List<String> compose = compose();
        assumeFalse(
                compose.isEmpty(),
                "neither docker compose nor docker-compose (Debian: docker-compose) is here: the file is not read by them");
        List<String> command = new ArrayList<>(List.of("env"));
        Matcher asked = Pattern.compile("\\$\\{(EDEN_[A-Z_]+):\\?").matcher(TEXT);
        while (asked.find()) {
            command.add(asked.group(1) + "=a-secret");
        }
        command.addAll(compose);
        if (!profiles.isEmpty()) {
            command.addAll(List.of(profiles.split(" ")));
        }
        command.add("config");
        assertThat(Project.run(command.toArray(String[]::new)))
                .contains(profiles.contains("postgres") ? "postgres:18" : "temporalio/ui");
    }

    /** Empty: there is none. A docker without the plugin answers with an error. */
    private static List<String> compose() throws Exception {
        for (List<String> form : List.of(List.of("docker", "compose"), List.of("docker-compose"))) {
            if (Project.installed(form.getFirst())) {
                List<String> asked = new ArrayList<>(form);
                asked.add("version");
                Process process = new ProcessBuilder(asked)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                if (process.waitFor() == 0) {
                    return form;
                }
            }
        }
        return List.of();
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
