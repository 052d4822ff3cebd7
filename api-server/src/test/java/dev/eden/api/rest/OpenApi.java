package dev.eden.api.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** docs/openapi.yaml, and answers held against it. */
public final class OpenApi {
    /** What any request may get besides what its operation names; {@code internal} is not among them: it is a defect. */
    static final Set<String> ANYWHERE = Set.of(
            "bad-request",
            "unauthenticated",
            "not-acceptable",
            "uri-too-long",
            "headers-too-large",
            "too-many-failures",
            "too-many-requests",
            "server-busy",
            "store-unavailable");

    static final Set<String> OF_BODIES =
            Set.of("malformed-json", "body-too-large", "unsupported-media-type", "invalid-fields");
    static final Set<String> OF_MUTATIONS =
            Set.of("invalid-parameter", "idempotency-key-reused", "idempotency-in-progress");

    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    private final JsonNode document;
    private final List<Operation> operations = new ArrayList<>();
    private final Map<String, Schema> schemas = new ConcurrentHashMap<>();

    private OpenApi(JsonNode document) {
        this.document = document;
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(method -> operations.add(new Operation(
                                method.getKey().toUpperCase(java.util.Locale.ROOT),
                                path.getKey(),
                                method.getValue()))));
    }

    /** A changed file. */
    static OpenApi of(JsonNode document) {
        return new OpenApi(document);
    }

    /** The project's file. */
    public static OpenApi read() {
        try {
            return new OpenApi(new ObjectMapper(new YAMLFactory())
                    .readTree(Path.of("..", "docs", "openapi.yaml").toFile()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One method of one path; {@code path} is relative to the server's. */
    public record Operation(String method, String path, JsonNode node) {
        public boolean hasBody() {
            return node.has("requestBody");
        }

        public String role() {
            return node.path("x-role").asText();
        }

        public boolean mutation() {
            return !method.equals("GET");
        }

        Set<String> problems() {
            Set<String> problems = new TreeSet<>();
            node.path("x-problems").forEach(slug -> problems.add(slug.asText()));
            return problems;
        }

        /** All that it may answer with. */
        Set<String> possibleProblems() {
            Set<String> all = problems();
            all.addAll(ANYWHERE);
            if (!role().equals("viewer")) {
                all.add("forbidden");
            }
            if (hasBody()) {
                all.addAll(OF_BODIES);
            }
            if (mutation()) {
                all.addAll(OF_MUTATIONS);
            }
            return all;
        }
    }

    public List<Operation> operations() {
        return List.copyOf(operations);
    }

    JsonNode document() {
        return document;
    }

    /** Follows a local reference, where the node is one. */
    public JsonNode resolved(JsonNode node) {
        String reference = node.path("$ref").asText();
        return reference.isEmpty() ? node : resolved(document.at(reference.substring(1)));
    }

    /** Where and what: {@code query after}, {@code path id}, {@code header Last-Event-ID}. */
    Set<String> parameters(Operation operation) {
        Set<String> parameters = new TreeSet<>();
        operation.node().path("parameters").forEach(one -> {
            JsonNode parameter = resolved(one);
            parameters.add(
                    parameter.path("in").asText() + " " + parameter.path("name").asText());
        });
        return parameters;
    }

    /** What is wrong with a value under a schema of the file. */
    public List<String> errors(JsonNode schema, JsonNode value) {
        Schema compiled = schemas.computeIfAbsent(schema.toString(), _ -> {
            ObjectNode root = Json.mapper().createObjectNode();
            root.set("components", document.path("components"));
            root.putArray("allOf").add(schema);
            return REGISTRY.getSchema(root);
        });
        return compiled.validate(value).stream().map(Error::toString).toList();
    }

    /** The operation behind a request; literal segments win over parameters. */
    public Optional<Operation> operation(String method, String path) {
        String bare = path.split("\\?", 2)[0];
        String[] wanted = (bare.startsWith("/api/v1/") ? bare.substring("/api/v1".length()) : bare).split("/", -1);
        Operation best = null;
        int literals = -1;
        for (Operation operation : operations) {
            int score = operation.method().equals(method) ? score(operation, wanted) : -1;
            if (score > literals) {
                best = operation;
                literals = score;
            }
        }
        return Optional.ofNullable(best);
    }

    private int score(Operation operation, String[] wanted) {
        String[] template = operation.path().split("/", -1);
        if (template.length != wanted.length) {
            return -1;
        }
        int literals = 0;
        for (int i = 0; i < template.length; i++) {
            if (template[i].equals(wanted[i])) {
                literals++;
            } else if (!template[i].startsWith("{") || wanted[i].isEmpty()) {
                return -1;
            } else if (template[i].equals("{command}") && !commands().contains(wanted[i])) {
                return -1;
            }
        }
        return literals;
    }

    Set<String> commands() {
        Set<String> commands = new TreeSet<>();
        document.at("/components/parameters/Command/schema/enum").forEach(name -> commands.add(name.asText()));
        return commands;
    }

    /** What an answer has that the file does not allow; empty where it keeps to it. */
    public List<String> violations(String method, String path, int status, @Nullable String mediaType, String body) {
        if (method.equals("HEAD") || method.equals("OPTIONS")) {
            return List.of();
        }
        Optional<Operation> operation = operation(method, path);
        if (status >= 400) {
            return problemViolations(operation, status, mediaType, body);
        }
        if (operation.isEmpty()) {
            return List.of("answered " + status + ", but nothing is described there");
        }
        JsonNode response = operation.get().node().path("responses").path(Integer.toString(status));
        if (response.isMissingNode()) {
            return List.of("status " + status + " is not described");
        }
        JsonNode content = response.path("content");
        if (content.isMissingNode()) {
            return body.isEmpty() ? List.of() : List.of("status " + status + " has no body");
        }
        String media = mediaType == null ? "" : mediaType.split(";", 2)[0];
        if (!content.has(media)) {
            return List.of("media type " + media + " is not described");
        }
        JsonNode schema = content.path(media).path("schema");
        if (!media.equals("application/json")) {
            return List.of();
        }
        return parsed(body).map(json -> errors(schema, json)).orElse(List.of("the body is no JSON"));
    }

    private List<String> problemViolations(
            Optional<Operation> operation, int status, @Nullable String mediaType, String body) {
        if (!"application/problem+json".equals(mediaType)) {
            return List.of("status " + status + " comes as " + mediaType);
        }
        Optional<JsonNode> problem = parsed(body);
        if (problem.isEmpty()) {
            return List.of("the problem is no JSON");
        }
        List<String> wrong = new ArrayList<>(errors(
                document.at("/components/responses/Problem/content/application~1problem+json/schema"), problem.get()));
        if (problem.get().path("status").asInt() != status) {
            wrong.add("status " + status + " carries another one's problem");
        }
        String slug = problem.get().path("type").asText().replace("urn:eden:problem:", "");
        Set<String> possible = operation.map(Operation::possibleProblems).orElseGet(() -> {
            Set<String> nowhere = new TreeSet<>(ANYWHERE);
            nowhere.addAll(Set.of("path-not-found", "method-not-allowed", "unsupported-media-type", "body-too-large"));
            return nowhere;
        });
        if (!possible.contains(slug)) {
            wrong.add(slug + " is not described for "
                    + operation.map(o -> o.method() + " " + o.path()).orElse("no path"));
        }
        return wrong;
    }

    private static Optional<JsonNode> parsed(String body) {
        try {
            return Optional.of(Json.mapper().readTree(body));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }
}
