package dev.eden.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Eden's public REST API as any other client sees it. */
public final class RestClient implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final String base;
    private final String token;

    /** @param base with scheme, host and port, without a path */
    RestClient(String base, String token) {
        this.base = base;
        this.token = token;
    }

    /** An answer that is not 2xx: the problem document in one line. */
    public static final class RefusedException extends RuntimeException {
        private final int status;

        RefusedException(int status, String message) {
            super(message);
            this.status = status;
        }

        public int status() {
            return status;
        }
    }

    public String base() {
        return base;
    }

    public JsonNode get(String path) throws IOException {
        return send("GET", path, null);
    }

    public JsonNode post(String path, @Nullable String body) throws IOException {
        return send("POST", path, body);
    }

    public JsonNode patch(String path, String body) throws IOException {
        return send("PATCH", path, body);
    }

    private JsonNode send(String method, String path, @Nullable String body) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/api/v1" + path))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + token)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        HttpResponse<String> response;
        try {
            response = http.send(request.build(), BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        JsonNode answer = parse(response.body());
        if (response.statusCode() / 100 != 2) {
            throw new RefusedException(
                    response.statusCode(), method + " " + path + ": " + response.statusCode() + " " + problem(answer));
        }
        return answer;
    }

    private static JsonNode parse(String body) {
        try {
            return JSON.readTree(body);
        } catch (JsonProcessingException notJson) {
            return JSON.getNodeFactory().textNode(body);
        }
    }

    private static String problem(JsonNode answer) {
        if (!answer.isObject()) {
            return answer.asText();
        }
        StringBuilder words = new StringBuilder(answer.path("title").asText(""));
        for (String field : new String[] {"detail", "blockers", "errors", "allowed"}) {
            if (answer.has(field)) {
                words.append(words.isEmpty() ? "" : "; ").append(field).append(": ");
                words.append(
                        answer.get(field).isTextual()
                                ? answer.get(field).asText()
                                : answer.get(field).toString());
            }
        }
        for (JsonNode finding : answer.path("findings")) {
            if (finding.path("severity").asText().equals("failure")) {
                words.append("; ")
                        .append(finding.path("id").asText())
                        .append(": ")
                        .append(finding.path("message").asText());
            }
        }
        return words.toString();
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
