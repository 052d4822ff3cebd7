package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The manifests run commands, ports and probes that the code has, and ask for nothing of the cluster. */
class KubernetesTest {
    private static final String FOLDER = "infra/kubernetes/";
    private static final String OWN_IMAGE = "eden:" + Project.version();

    @Test
    void theKustomizationNamesEveryManifest() {
        Set<Object> named = new LinkedHashSet<>(Project.list(Project.yaml(FOLDER + "kustomization.yaml"), "resources"));
        List<Object> there = Project.files(FOLDER, ".yaml").stream()
                .map(file -> (Object) String.valueOf(file.getFileName()))
                .filter(name -> !name.equals("kustomization.yaml"))
                .toList();
        assertThat(named).containsExactlyInAnyOrderElementsOf(there);
    }

    @Test
    void theyAreObjectsAsKubernetesItselfReadsThem() {
        assertThat(objects())
                .isNotEmpty()
                .allSatisfy(object -> assertThat(Manifests.problems(object)).isEmpty());
        assertThat(Manifests.problemsOfKustomization(Project.yaml(FOLDER + "kustomization.yaml"), FOLDER))
                .isEmpty();
    }

    @Test
    void theGuidesSecretHasWhatTheManifestsTake() {
        String manifests =
                Project.files(FOLDER, ".yaml").stream().map(Project::read).collect(Collectors.joining());
        Set<String> taken = found("secretKeyRef: \\{name: eden, key: ([a-z-]+)\\}", manifests);
        assertThat(taken).isNotEmpty();
        assertThat(found("--from-literal=([a-z-]+)=", Project.text("docs/guide/side-car.md")))
                .isEqualTo(taken);
    }

    private static Set<String> found(String pattern, String text) {
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "terminationGracePeriodSeconds: 30 | terminationGraceSeconds: 30                   | Unrecognized"
                        + " field \"terminationGraceSeconds\"",
                "terminationGracePeriodSeconds: 30 | terminationGracePeriodSeconds: soon           | Cannot coerce"
                        + " String value",
                "replicas: 1                       | replicas: one                                 | Cannot coerce"
                        + " String value",
                "runAsNonRoot: true                | runAsNonRoot: 'yes'                           | Boolean",
                "containerPort: 8000}              | containerPort: 8000, port: 8000}              | Unrecognized"
                        + " field \"port\"",
                "readinessProbe:                   | readyProbe:                                   | Unrecognized"
                        + " field \"readyProbe\"",
                "key: database-url}                | item: database-url}                           | Unrecognized"
                        + " field \"item\"",
                "capabilities: {drop: [ALL]}       | capabilities: ALL                             | Capabilities",
                "name: tmp, mountPath              | name: temp, mountPath                         | no volume is"
                        + " called temp",
                "port: admin}                      | port: metrics}                                | a probe asks the"
                        + " port metrics",
                "limits: {memory: 1536Mi}          | limits: {memory: 512Mi}                       | more is asked for"
                        + " than allowed",
                "limits: {memory: 1536Mi}          | limits: {ram: 1536Mi}                         | resources that"
                        + " there are not",
                "kind: Deployment                  | kind: Deploymnet                              | no such kind here",
                "port: 8000, targetPort            | prot: 8000, targetPort                        | Unrecognized"
                        + " field \"prot\"",
            })
    void whatKubernetesWouldRefuseIsSeen(String right, String wrong, String problem) {
        String text = Project.text(FOLDER + "server.yaml");
        assertThat(text).contains(right);
        assertThat(Project.parsed(text.replace(right, wrong)).stream()
                        .flatMap(object -> Manifests.problems(Project.cast(object)).stream()))
                .anyMatch(found -> found.contains(problem));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "resources:   | ressources:      | unknown: ressources",
                "server.yaml  | servers.yaml     | servers.yaml is not there",
                "v1beta1      | v1               | apiVersion",
                "application. | server.          | a resource twice",
            })
    void whatKustomizeWouldRefuseIsSeen(String right, String wrong, String problem) {
        String text = Project.text(FOLDER + "kustomization.yaml");
        assertThat(text).contains(right);
        assertThat(Manifests.problemsOfKustomization(Project.parsedYaml(text.replace(right, wrong)), FOLDER))
                .contains(problem);
    }

    /** What {@code kubectl apply -k} would send. */
    @Test
    void kustomizeMakesObjectsOfThemAsKubernetesReadsThem() throws Exception {
        assumeTrue(Project.installed("kubectl"), "kubectl is not here: the kustomization is not built by it");
        List<Map<String, Object>> built = Project.parsed(Project.run("kubectl", "kustomize", FOLDER)).stream()
                .map(Project::cast)
                .toList();
        assertThat(built).hasSameSizeAs(objects()).allSatisfy(object -> {
            assertThat(Manifests.problems(object)).isEmpty();
            assertThat(Project.map(Project.map(object, "metadata"), "labels"))
                    .containsEntry("app.kubernetes.io/part-of", "eden");
        });
    }

    @Test
    void kindsAreOfTheCoreAndNothingAsksForRights() {
        assertThat(objects().stream().map(object -> object.get("kind")))
                .isNotEmpty()
                .allMatch(kind -> Set.of("Deployment", "Service").contains(kind));
        pods(pod -> assertThat(pod).containsEntry("automountServiceAccountToken", false));
    }

    @Test
    void selectorsFindTheirPods() {
        Set<Map<String, Object>> labels = new LinkedHashSet<>();
        deployments(spec -> {
            Map<String, Object> template =
                    Project.map(Project.map(Project.map(spec, "template"), "metadata"), "labels");
            assertThat(template).containsAllEntriesOf(Project.map(Project.map(spec, "selector"), "matchLabels"));
            labels.add(template);
        });
        objects().stream()
                .filter(object -> "Service".equals(object.get("kind")))
                .forEach(service -> {
                    Map<String, Object> spec = Project.map(service, "spec");
                    assertThat(labels)
                            .anyMatch(one -> one.entrySet()
                                    .containsAll(Project.map(spec, "selector").entrySet()));
                    each(
                            spec,
                            "ports",
                            port -> assertThat(portNames()).contains(String.valueOf(port.get("targetPort"))));
                });
    }

    @Test
    void edensContainersAreCommandsItUnderstandsWithVariablesItReads() {
        List<Map<String, Object>> own = own();
        assertThat(own).hasSize(2);
        for (Map<String, Object> container : own) {
            List<String> arguments = new ArrayList<>(Project.list(container, "args").stream()
                    .map(String::valueOf)
                    .toList());
            if (proxy(container)) {
                arguments.addAll(List.of("--name", "a-pod"));
            }
            Project.parse(arguments);
            each(
                    container,
                    "env",
                    variable -> assertThat(Project.variables()).contains(String.valueOf(variable.get("name"))));
        }
    }

    @Test
    void portsAndProbesAreTheAdminPorts() {
        String admin = Project.defaultOf("server", "--admin-port");
        assertThat(Project.text("Dockerfile")).contains("EDEN_ADMIN_PORT=" + admin, "EDEN_METRICS_PORT=" + admin);
        for (Map<String, Object> container : own()) {
            each(container, "ports", port -> {
                if ("admin".equals(port.get("name"))) {
                    assertThat(String.valueOf(port.get("containerPort"))).isEqualTo(admin);
                } else {
                    assertThat(String.valueOf(port.get("containerPort")))
                            .isEqualTo(Project.defaultOf("server", "--api-port"));
                }
            });
            for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
                Map<String, Object> get = Project.map(Project.map(container, probe), "httpGet");
                assertThat(get).containsEntry("port", "admin");
                boolean starts = probe.equals("startupProbe");
                boolean drains = probe.equals("readinessProbe") && proxy(container);
                assertThat(get)
                        .as("a dependency that is away must neither end the process nor take the API away")
                        .containsEntry("path", starts || drains ? "/health/ready" : "/health/live");
            }
        }
    }

    @Test
    void everythingRunsWithoutRights() {
        pods(pod -> Stream.of("initContainers", "containers")
                .flatMap(kind -> Project.list(pod, kind).stream())
                .forEach(one -> {
                    Map<String, Object> container = Project.cast(one);
                    Map<String, Object> security = Project.map(container, "securityContext");
                    assertThat(security)
                            .containsEntry("allowPrivilegeEscalation", false)
                            .containsEntry("readOnlyRootFilesystem", true);
                    assertThat(security.containsKey("runAsNonRoot")
                                    || Project.map(pod, "securityContext").containsKey("runAsNonRoot"))
                            .isTrue();
                    assertThat(Project.map(container, "resources")).containsKeys("requests", "limits");
                }));
    }

    @Test
    void thePodOutlivesTheSideCarsOwnEnd() {
        pods(pod -> assertThat((Integer) pod.get("terminationGracePeriodSeconds"))
                .as("an attempt's end and a drain of 5 s each, and some, after the application's own end")
                .isGreaterThanOrEqualTo(Project.list(pod, "initContainers").isEmpty() ? 20 : 60));
    }

    /** A side-car of a node with 64 processors does not behave as if they were its own, and its heap and its buffers are within its memory. */
    @Test
    void sideCarsDoNotCountTheNodesProcessorsAndMemory() {
        assertThat(own().stream().filter(KubernetesTest::proxy))
                .isNotEmpty()
                .allSatisfy(
                        container -> assertThat(Project.list(container, "env").toString())
                                .contains("-XX:ActiveProcessorCount=2", "-XX:MaxDirectMemorySize="));
    }

    /** The first process of a container gets only the signals that it has a handler for; its side-car is told after it has gone. */
    @Test
    void theApplicationLeavesItsSideCarTime() {
        assertThat(script()).startsWith("trap 'exit 0' TERM\n").endsWith("done &\nwait\n");
    }

    @Test
    void theApplicationWaitsForTheFirstEndpointAsComposesLoadDoes() {
        Map<String, Object> load = Project.map(Project.map(Project.yaml("docker-compose.yml"), "services"), "load");
        String loop = String.valueOf(Project.list(load, "command").getLast());
        assertThat(anywhere(script().replace("trap 'exit 0' TERM\n", "").replace(" &\nwait", "")))
                .isEqualTo(anywhere(loop));
    }

    private static String script() {
        List<String> found = new ArrayList<>();
        pods(pod -> each(
                pod,
                "containers",
                container -> Project.list(container, "command").stream()
                        .reduce((_, last) -> last)
                        .ifPresent(script -> found.add(String.valueOf(script)))));
        assertThat(found).hasSize(1);
        return found.getFirst();
    }

    /** Without where it goes and how much it is. */
    private static String anywhere(String loop) {
        return loop.replaceAll("-h \\S+", "-h HERE").replaceAll("-t .* -q", "-q");
    }

    private static boolean proxy(Map<String, Object> container) {
        return Project.list(container, "args").getFirst().equals("proxy");
    }

    private List<Map<String, Object>> own() {
        List<Map<String, Object>> own = new ArrayList<>();
        pods(pod -> Stream.of("initContainers", "containers")
                .flatMap(kind -> Project.list(pod, kind).stream())
                .map(Project::cast)
                .filter(container -> OWN_IMAGE.equals(container.get("image")))
                .forEach(own::add));
        return own;
    }

    private List<String> portNames() {
        return own().stream()
                .flatMap(container -> Project.list(container, "ports").stream())
                .map(port -> String.valueOf(Project.cast(port).get("name")))
                .toList();
    }

    private static void deployments(Consumer<Map<String, Object>> look) {
        objects().stream()
                .filter(object -> "Deployment".equals(object.get("kind")))
                .forEach(object -> look.accept(Project.map(object, "spec")));
    }

    private static void pods(Consumer<Map<String, Object>> look) {
        deployments(spec -> look.accept(Project.map(Project.map(spec, "template"), "spec")));
    }

    private static void each(Map<String, Object> parent, String key, Consumer<Map<String, Object>> look) {
        Project.list(parent, key).forEach(one -> look.accept(Project.cast(one)));
    }

    private static List<Map<String, Object>> objects() {
        return Project.list(Project.yaml(FOLDER + "kustomization.yaml"), "resources").stream()
                .flatMap(file -> Project.documents(FOLDER + file).stream())
                .map(Project::cast)
                .toList();
    }
}
