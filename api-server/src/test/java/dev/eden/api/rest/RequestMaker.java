package dev.eden.api.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Makes requests from docs/openapi.yaml: right ones, nearly right ones, and nonsense; the same ones for the same seed. */
public final class RequestMaker {
    /** Every password that a request holds. */
    public static final String SECRET = "fuzz-s3cret-0451";

    private static final String STRANGER = "stranger";

    private static final List<String> IDS =
            List.of("a", "b", "c", "d", "redis_interlay", "postgres_interlay", "m1", "m2", "m3");
    private static final List<String> URIS = List.of(
            "redis://127.0.0.1:1",
            "rediss://127.0.0.1:1",
            "redis://u:" + SECRET + "@127.0.0.1:1",
            "postgresql://u:" + SECRET + "@127.0.0.1:1/db",
            "redis://[::1]:1",
            "http://127.0.0.1",
            "redis://127.0.0.1:99999",
            "redis://",
            "redis://127.0.0.1:1/7",
            "postgresql://127.0.0.1:1/a/b",
            "redis://u:" + SECRET + "%zz@127.0.0.1");
    private static final List<String> JUNK = List.of(
            "\"\"",
            "null",
            "true",
            "-1",
            "0",
            "1e308",
            "1e400",
            "99999999999999999999",
            "0.30000000000000004",
            "[]",
            "{}",
            "[[[[]]]]",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"ü💥\"",
            "\"' OR 1=1 --\"",
            "\"../../etc/passwd\"",
            "\"${jndi:ldap://x}\"",
            "\"" + "x".repeat(5_000) + "\"");
    private static final List<String> DURATIONS = List.of("1ms", "5s", "10m", "2h", "1d", "999999999d", "5 s", "-1s");
    private static final List<String> NONSENSE = List.of(
            "", "{", "[]", "null", "\u0000", "{\"id\":1}}", "{\"id\":\"a\",\"id\":\"b\"}", "ÿ", "[".repeat(2_000));
    private static final List<String> SEGMENTS =
            List.of("%20", "%00", "%2e%2e", "%2F", "%ff", "x%0d%0ay", "ü", "%F0%9F%92%A5", "y".repeat(300));

    private final OpenApi api;
    private final Random random;
    private final Random strangers;
    /** Ids that the server has chosen, which no list of made-up ones would ever hold. */
    private final List<String> tokens = new ArrayList<>();

    public RequestMaker(OpenApi api, long seed) {
        this.api = api;
        this.random = new Random(seed);
        this.strangers = new Random(~seed);
    }

    /** @param headers name, value, name, value … */
    public record Made(String method, String path, @Nullable String body, boolean authenticated, List<String> headers) {
        /** Whether its query has a name that no operation knows: such a request does nothing. */
        public boolean misspelt() {
            return path.contains(STRANGER + "=");
        }
    }

    /** A token that a request of its own has made: one that may be revoked, unlike the one that requests are sent with. */
    public void madeToken(String id) {
        tokens.add(id);
    }

    public Made next() {
        OpenApi.Operation operation =
                api.operations().get(random.nextInt(api.operations().size()));
        StringBuilder path = new StringBuilder(aliased(operation.path()) && chance(8) ? "" : "/api/v1");
        for (String segment : operation.path().substring(1).split("/")) {
            path.append('/').append(segment.startsWith("{") ? parameter(operation, segment) : segment);
        }
        String query = query(operation);
        List<String> headers = new ArrayList<>();
        headers.addAll(List.of(
                "Accept", pick(List.of("application/json", "application/json", "*/*", "text/markdown", "image/png"))));
        if (operation.mutation() && chance(4)) {
            headers.addAll(List.of("Idempotency-Key", chance(5) ? "k k" : "k" + random.nextInt(20)));
        }
        String body = null;
        if (operation.hasBody() && !chance(20)) {
            body = chance(15)
                    ? pick(NONSENSE)
                    : value(operation.node().at("/requestBody/content/application~1json/schema"), "")
                            .toString();
            headers.addAll(List.of("Content-Type", chance(30) ? "text/plain" : "application/json"));
        }
        String method = chance(40) ? pick(List.of("PUT", "DELETE", "PATCH", "GET")) : operation.method();
        return new Made(method, path + query, body, !chance(25), headers);
    }

    private String parameter(OpenApi.Operation operation, String segment) {
        if (operation.path().equals("/tokens/{id}") && !tokens.isEmpty() && !chance(3)) {
            return pick(tokens);
        }
        if (segment.equals("{command}") && !chance(10)) {
            return pick(List.copyOf(api.commands()));
        }
        return chance(12) ? encoded(pick(SEGMENTS)) : pick(IDS);
    }

    private String query(OpenApi.Operation operation) {
        StringBuilder query = new StringBuilder();
        for (JsonNode one : operation.node().path("parameters")) {
            JsonNode parameter = api.resolved(one);
            if (parameter.path("in").asText().equals("query") && chance(2)) {
                String name = parameter.path("name").asText();
                boolean place = operation.path().equals("/tokens") && name.equals("after") && !tokens.isEmpty();
                String value = place && chance(2)
                        ? pick(tokens)
                        : value(parameter.path("schema"), name).asText();
                query.append(query.isEmpty() ? '?' : '&')
                        .append(name)
                        .append('=')
                        .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
            }
        }
        if (strangers.nextInt(25) == 0) {
            query.append(query.isEmpty() ? '?' : '&').append(STRANGER).append("=1");
        }
        return query.toString();
    }

    private JsonNode value(JsonNode reference, String name) {
        JsonNode schema = api.resolved(reference);
        if (chance(25)) {
            return Json.tree(pick(JUNK));
        }
        if (name.equals("password")) {
            return Json.mapper().getNodeFactory().textNode(SECRET);
        }
        if (name.equals("uri")) {
            return Json.mapper().getNodeFactory().textNode(pick(URIS));
        }
        if (schema.has("oneOf")) {
            return value(
                    schema.path("oneOf").get(random.nextInt(schema.path("oneOf").size())), name);
        }
        if (schema.has("enum")) {
            return schema.path("enum").get(random.nextInt(schema.path("enum").size()));
        }
        var nodes = Json.mapper().getNodeFactory();
        return switch (schema.path("type").asText()) {
            case "object" -> object(schema);
            case "array" -> {
                ArrayNode array = nodes.arrayNode();
                for (int i = random.nextInt(4); i > 0; i--) {
                    array.add(value(schema.path("items"), ""));
                }
                yield array;
            }
            case "string" ->
                nodes.textNode(schema.path("pattern").asText().contains("ms|s") ? pick(DURATIONS) : pick(IDS));
            case "integer" -> nodes.numberNode(random.nextInt(chance(3) ? 2_000_000_000 : 200));
            case "number" -> nodes.numberNode(chance(4) ? random.nextDouble(-2, 2_000) : random.nextDouble());
            case "boolean" -> nodes.booleanNode(random.nextBoolean());
            default -> nodes.nullNode();
        };
    }

    private ObjectNode object(JsonNode schema) {
        ObjectNode object = Json.mapper().createObjectNode();
        List<String> required = new ArrayList<>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        schema.path("properties").properties().forEach(property -> {
            if (required.contains(property.getKey()) ? !chance(30) : chance(3)) {
                object.set(property.getKey(), value(property.getValue(), property.getKey()));
            }
        });
        if (schema.path("additionalProperties").isObject()) {
            for (int i = random.nextInt(3); i > 0; i--) {
                object.set("l" + i, value(schema.path("additionalProperties"), ""));
            }
        }
        if (chance(25)) {
            object.set("unknown", Json.tree(pick(JUNK)));
        }
        return object;
    }

    /** These are served without {@code /api/v1} as well. */
    private static boolean aliased(String path) {
        return path.startsWith("/migrations") || path.startsWith("/endpoints") || path.startsWith("/interlays");
    }

    private boolean chance(int oneIn) {
        return random.nextInt(oneIn) == 0;
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private static String encoded(String segment) {
        return segment.contains("%") || segment.startsWith(";")
                ? segment
                : URLEncoder.encode(segment, StandardCharsets.UTF_8);
    }
}
