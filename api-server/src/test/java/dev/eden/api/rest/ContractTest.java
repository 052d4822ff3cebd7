package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.trace.RequestId;
import dev.eden.api.trace.Traces;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** docs/openapi.yaml describes what the resources serve, all of it and nothing else. */
class ContractTest {
    private static final Pattern CONSTRAINED = Pattern.compile("\\{(\\w+):\\s*([^}]+)}");
    private final OpenApi api = OpenApi.read();

    /** All that both sides say of one method of one path. */
    private record Served(
            String role,
            Set<String> parameters,
            Set<String> problems,
            Set<Integer> statuses,
            Set<String> produces,
            boolean json) {}

    @Test
    void everyResourceIsDescribedAndEveryDescriptionIsServed() {
        Map<String, Served> resources = resources();
        Map<String, Served> described = described(api);

        assertThat(described.keySet()).isEqualTo(resources.keySet());
        assertThat(described).isEqualTo(resources);
    }

    @Test
    void parametersThatDifferAreNoticed() {
        Map<String, Served> resources = resources();
        for (String operation : List.of(
                "/paths/~1migrations/get",
                "/paths/~1migrations~1{id}~1events/get",
                "/paths/~1proxies~1{id}/delete",
                "/paths/~1endpoints~1{id}/put")) {
            JsonNode parameters = api.document().at(operation).path("parameters");
            assertThat(parameters).as(operation).isNotEmpty();
            for (int i = 0; i < parameters.size(); i++) {
                JsonNode without = api.document().deepCopy();
                ((ArrayNode) without.at(operation).path("parameters")).remove(i);
                assertThat(described(OpenApi.of(without)))
                        .as(operation + " without " + parameters.get(i))
                        .isNotEqualTo(resources);
            }
            for (String where : List.of("query", "path", "header")) {
                JsonNode with = api.document().deepCopy();
                ((ArrayNode) with.at(operation).path("parameters"))
                        .addObject()
                        .put("name", "another")
                        .put("in", where);
                assertThat(described(OpenApi.of(with)))
                        .as(operation + " with another in the " + where)
                        .isNotEqualTo(resources);
            }
        }
    }

    @Test
    void pathParametersAreThoseOfThePath() {
        for (OpenApi.Operation operation : api.operations()) {
            Set<String> inPath = new TreeSet<>();
            Matcher parameter = Pattern.compile("\\{(\\w+)}").matcher(operation.path());
            while (parameter.find()) {
                inPath.add("path " + parameter.group(1));
            }
            assertThat(api.parameters(operation).stream().filter(one -> one.startsWith("path ")))
                    .as(operation.method() + " " + operation.path())
                    .containsExactlyInAnyOrderElementsOf(inPath);
            operation.node().path("parameters").forEach(one -> {
                JsonNode resolved = api.resolved(one);
                if (resolved.path("in").asText().equals("path")) {
                    assertThat(resolved.path("required").asBoolean()).isTrue();
                }
            });
        }
    }

    @Test
    void headersOfAnyRequestAreNamed() {
        assertThat(api.document().at("/info/description").asText())
                .contains("`" + RequestId.HEADER + "`", "`" + Traces.KEY + "`");
    }

    private static Map<String, Served> described(OpenApi api) {
        Map<String, Served> described = new TreeMap<>();
        api.operations()
                .forEach(operation -> described.put(operation.method() + " " + operation.path(), of(api, operation)));
        return described;
    }

    @Test
    void examplesKeepToTheirSchemas() {
        int seen = 0;
        for (OpenApi.Operation operation : api.operations()) {
            for (JsonNode media : operation.node().at("/requestBody/content")) {
                if (media.has("example")) {
                    assertThat(api.errors(media.path("schema"), media.path("example")))
                            .as(operation.path())
                            .isEmpty();
                    seen++;
                }
            }
        }
        assertThat(seen).isGreaterThan(5);
        JsonNode problem = api.document().at("/components/responses/Problem/content/application~1problem+json");
        assertThat(api.errors(problem.path("schema"), problem.path("example"))).isEmpty();
    }

    @Test
    void whatDiffersIsNoticed() {
        String path = "/api/v1/tokens";
        String token =
                "{\"id\":\"7b0a4ad2-3d3e-4f2a-9d7e-2a9b0a2f6f11\",\"role\":\"viewer\",\"label\":\"l\",\"created_at\":\"2026-01-01T00:00:00Z\"}";
        String json = "application/json";
        assertThat(api.violations("GET", path, 200, json, "{\"tokens\":[" + token + "],\"next\":null}"))
                .isEmpty();
        assertThat(api.violations(
                        "GET", path, 200, json, "{\"tokens\":[" + token.replace("viewer", "root") + "],\"next\":null}"))
                .isNotEmpty();
        assertThat(api.violations("GET", path, 200, json, "{\"tokens\":[],\"next\":null,\"hash\":1}"))
                .isNotEmpty();
        assertThat(api.violations("GET", path, 200, json, "{}")).isNotEmpty();
        assertThat(api.violations("GET", path, 202, json, "{\"tokens\":[],\"next\":null}"))
                .isNotEmpty();
        assertThat(api.violations("GET", path, 200, "text/html", "{\"tokens\":[],\"next\":null}"))
                .isNotEmpty();
        assertThat(api.violations("GET", path, 500, "text/plain", "oops")).isNotEmpty();
    }

    @Test
    void everyReferenceLeadsSomewhereAndEverySchemaIsUsed() {
        String all = api.document().toString();
        Set<String> referenced = new TreeSet<>();
        Matcher reference = Pattern.compile("\"#(/components/[^\"]+)\"").matcher(all);
        while (reference.find()) {
            assertThat(api.document().at(reference.group(1)).isMissingNode())
                    .as(reference.group(1))
                    .isFalse();
            referenced.add(reference.group(1));
        }
        for (String kind : Set.of("schemas", "parameters", "responses")) {
            api.document()
                    .path("components")
                    .path(kind)
                    .fieldNames()
                    .forEachRemaining(name -> assertThat(referenced).contains("/components/" + kind + "/" + name));
        }
    }

    private static Served of(OpenApi api, OpenApi.Operation operation) {
        Set<Integer> statuses = new TreeSet<>();
        Set<String> produces = new TreeSet<>();
        operation.node().path("responses").properties().forEach(response -> {
            if (!response.getKey().equals("default")) {
                statuses.add(Integer.parseInt(response.getKey()));
            }
            api.resolved(response.getValue()).path("content").fieldNames().forEachRemaining(produces::add);
        });
        return new Served(
                operation.role(),
                api.parameters(operation),
                operation.problems(),
                statuses,
                produces,
                operation.node().at("/requestBody/content").has("application/json"));
    }

    private static Map<String, Served> resources() {
        Map<String, Served> served = new TreeMap<>();
        for (JavaClass type : new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("dev.eden.api")) {
            Path root = type.reflect().getAnnotation(Path.class);
            if (root == null) {
                continue;
            }
            for (Method method : type.reflect().getDeclaredMethods()) {
                String verb = verb(method);
                if (verb != null) {
                    Path sub = method.getAnnotation(Path.class);
                    String path = root.value().replaceFirst("^/api/v1", "")
                            + (sub == null ? "" : "/" + sub.value().replaceFirst("^/", ""));
                    served.merge(
                            verb + " " + CONSTRAINED.matcher(path).replaceAll("{$1}"),
                            of(type, method, verb),
                            ContractTest::both);
                }
            }
        }
        return served;
    }

    /** One path may answer in two media types by two methods. */
    private static Served both(Served one, Served other) {
        Set<String> parameters = new TreeSet<>(one.parameters());
        parameters.addAll(other.parameters());
        Set<String> problems = new TreeSet<>(one.problems());
        problems.addAll(other.problems());
        Set<Integer> statuses = new TreeSet<>(one.statuses());
        statuses.addAll(other.statuses());
        Set<String> produces = new TreeSet<>(one.produces());
        produces.addAll(other.produces());
        assertThat(one.role()).isEqualTo(other.role());
        return new Served(one.role(), parameters, problems, statuses, produces, one.json() || other.json());
    }

    private static Served of(JavaClass type, Method method, String verb) {
        Answers answers = method.getAnnotation(Answers.class);
        Allow allow = method.getAnnotation(Allow.class);
        assertThat(answers).as("@Answers on " + method).isNotNull();
        assertThat(allow).as("@Allow on " + method).isNotNull();
        Consumes consumes = method.getAnnotation(Consumes.class);
        String role = allow.value().label();
        Set<String> problems = new TreeSet<>();
        Set<Integer> statuses = new TreeSet<>();
        for (ErrorCode code : answers.problems()) {
            problems.add(code.slug());
            statuses.add(code.status());
        }
        Arrays.stream(answers.value()).forEach(statuses::add);
        statuses.add(401);
        if (!role.equals("viewer")) {
            statuses.add(403);
        }
        if (consumes != null) {
            assertThat(consumes.value()).containsExactly("application/json");
            statuses.addAll(Set.of(400, 413, 415, 422));
        }
        if (!verb.equals("GET")) {
            statuses.addAll(Set.of(400, 409, 422));
        }
        Set<String> produces = new TreeSet<>(Set.of("application/problem+json"));
        if (Arrays.stream(answers.value()).anyMatch(status -> status != 204)) {
            Produces own = method.getAnnotation(Produces.class);
            Produces media = own == null ? type.reflect().getAnnotation(Produces.class) : own;
            for (String one : media.value()) {
                produces.add(one.split(";", 2)[0]);
            }
        }
        return new Served(role, parameters(method, verb), problems, statuses, produces, consumes != null);
    }

    /** What the method declares, and the key that {@link IdempotencyFilter} takes. */
    private static Set<String> parameters(Method method, String verb) {
        Set<String> parameters = new TreeSet<>();
        QueryParameters.of(method).forEach(name -> parameters.add("query " + name));
        for (Parameter parameter : method.getParameters()) {
            PathParam path = parameter.getAnnotation(PathParam.class);
            if (path != null) {
                parameters.add("path " + path.value());
            }
            HeaderParam header = parameter.getAnnotation(HeaderParam.class);
            if (header != null) {
                parameters.add("header " + header.value());
            }
        }
        if (IdempotencyFilter.MUTATIONS.contains(verb) && !method.isAnnotationPresent(NotKept.class)) {
            parameters.add("header " + Caller.IDEMPOTENCY_KEY);
        }
        return parameters;
    }

    private static @Nullable String verb(Method method) {
        for (Annotation annotation : method.getAnnotations()) {
            HttpMethod verb = annotation.annotationType().getAnnotation(HttpMethod.class);
            if (verb != null) {
                return verb.value();
            }
        }
        return null;
    }

    @Test
    void theCommandsAreTheResources() {
        Path path = Arrays.stream(MigrationResource.class.getDeclaredMethods())
                .filter(method -> method.getName().equals("command"))
                .findFirst()
                .orElseThrow()
                .getAnnotation(Path.class);
        Matcher constrained = CONSTRAINED.matcher(path.value());
        assertThat(constrained.find()).isTrue();
        assertThat(api.commands())
                .isEqualTo(new TreeSet<>(Set.of(constrained.group(2).strip().split("\\|"))));
    }
}
