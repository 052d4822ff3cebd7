package dev.eden.api.operations;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Kubernetes' own model of its objects, as an API server with strict field validation reads them. */
final class Manifests {
    /** Of kustomize's {@code v1beta1}, as far as one without plugins and patches needs it. */
    private static final Set<String> KUSTOMIZATION =
            Set.of("apiVersion", "kind", "resources", "labels", "images", "namespace", "configMapGenerator");

    private static final ObjectMapper STRICT = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            // The model keeps what it does not know; an API server refuses it.
            .annotationIntrospector(new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            })
            .build();

    private Manifests() {}

    /** What is wrong with an object, in words; nothing where all is well. */
    static List<String> problems(Map<String, Object> object) {
        try {
            return switch (object.get("apiVersion") + " " + object.get("kind")) {
                case "apps/v1 Deployment" -> deployment(STRICT.convertValue(object, Deployment.class));
                case "v1 Service" -> service(STRICT.convertValue(object, Service.class));
                case String other -> List.of("no such kind here: " + other);
            };
        } catch (IllegalArgumentException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
    }

    static List<String> problemsOfKustomization(Map<String, Object> kustomization, String folder) {
        List<String> problems = new ArrayList<>();
        require("kustomize.config.k8s.io/v1beta1".equals(kustomization.get("apiVersion")), "apiVersion", problems);
        require("Kustomization".equals(kustomization.get("kind")), "kind", problems);
        kustomization.keySet().forEach(key -> require(KUSTOMIZATION.contains(key), "unknown: " + key, problems));
        List<Object> resources = Project.list(kustomization, "resources");
        require(new HashSet<>(resources).size() == resources.size(), "a resource twice", problems);
        resources.forEach(file -> require(
                Files.isRegularFile(Project.ROOT.resolve(folder).resolve(String.valueOf(file))),
                file + " is not there",
                problems));
        return problems;
    }

    private static List<String> deployment(Deployment deployment) {
        List<String> problems = new ArrayList<>();
        require(deployment.getMetadata().getName() != null, "no name", problems);
        require(
                deployment
                        .getSpec()
                        .getTemplate()
                        .getMetadata()
                        .getLabels()
                        .entrySet()
                        .containsAll(deployment
                                .getSpec()
                                .getSelector()
                                .getMatchLabels()
                                .entrySet()),
                "the selector does not find its pods",
                problems);
        PodSpec pod = deployment.getSpec().getTemplate().getSpec();
        Set<String> volumes = new HashSet<>();
        pod.getVolumes().forEach(volume -> require(volumes.add(volume.getName()), "a volume twice", problems));
        Set<String> names = new HashSet<>();
        for (Container container : Stream.concat(pod.getInitContainers().stream(), pod.getContainers().stream())
                .toList()) {
            require(names.add(container.getName()), "a container twice", problems);
            container(container, volumes, problems);
        }
        return problems;
    }

    private static void container(Container container, Set<String> volumes, List<String> problems) {
        Set<String> variables = new HashSet<>();
        container
                .getEnv()
                .forEach(variable -> require(
                        variables.add(variable.getName()) && variable.getValue() == null
                                || variable.getValueFrom() == null,
                        variable.getName() + ": twice, or with two values",
                        problems));
        container
                .getVolumeMounts()
                .forEach(mount ->
                        require(volumes.contains(mount.getName()), "no volume is called " + mount.getName(), problems));
        Set<String> ports = new HashSet<>();
        container.getPorts().forEach(port -> ports.add(port.getName()));
        Stream.of(container.getStartupProbe(), container.getReadinessProbe(), container.getLivenessProbe())
                .flatMap(probe -> Optional.ofNullable(probe).stream())
                .map(probe -> probe.getHttpGet().getPort().getStrVal())
                .forEach(port -> require(ports.contains(port), "a probe asks the port " + port, problems));
        var resources = container.getResources();
        require(
                Set.of("cpu", "memory").containsAll(resources.getRequests().keySet())
                        && Set.of("cpu", "memory")
                                .containsAll(resources.getLimits().keySet()),
                "resources that there are not",
                problems);
        resources.getRequests().forEach((name, asked) -> {
            Quantity limit = resources.getLimits().get(name);
            require(
                    limit == null || asked.getNumericalAmount().compareTo(limit.getNumericalAmount()) <= 0,
                    name + ": more is asked for than allowed",
                    problems);
        });
    }

    private static List<String> service(Service service) {
        List<String> problems = new ArrayList<>();
        require(service.getMetadata().getName() != null, "no name", problems);
        require(!service.getSpec().getSelector().isEmpty(), "no selector", problems);
        service.getSpec()
                .getPorts()
                .forEach(port -> require(port.getPort() != null, "a port without number", problems));
        return problems;
    }

    private static void require(boolean holds, String otherwise, List<String> problems) {
        if (!holds) {
            problems.add(otherwise);
        }
    }
}
