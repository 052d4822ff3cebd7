package dev.eden.api.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.api.problem.StartupException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The REST API as the client verbs use it. The token comes as {@code EDEN_TOKEN}. */
final class ApiClient {
    @Option(
            names = "--url",
            defaultValue = "${env:EDEN_URL:-http://127.0.0.1:8000}",
            description = "of the server (EDEN_URL; default: ${DEFAULT-VALUE}); the token is EDEN_TOKEN")
    private String url = "";

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    /** Sends and prints the answer; the exit code is 0 for 2xx. Mutations carry a fresh Idempotency-Key and are tried once. */
    int call(String method, String path, @Nullable String body) {
        HttpRequest.Builder request = request(path)
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        if (!method.equals("GET")) {
            request.header("Idempotency-Key", UUID.randomUUID().toString());
        }
        try {
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            boolean good = response.statusCode() / 100 == 2;
            (good ? System.out : System.err).println(pretty(response.body()));
            return good ? 0 : 1;
        } catch (IOException e) {
            throw away();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 130;
        }
    }

    /** The answer as a tree; for verbs that show parts of it. */
    JsonNode get(String path) {
        try {
            HttpResponse<String> response =
                    http.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString());
            JsonNode tree = Json.mapper().readTree(response.body());
            if (response.statusCode() / 100 != 2) {
                throw new StartupException(
                        tree.path("title").asText("the server answers " + response.statusCode()) + ": "
                                + tree.path("detail").asText(),
                        tree.path("remedy").asText("see the server's log"));
            }
            return tree;
        } catch (IOException e) {
            throw away();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartupException("interrupted", "start it again");
        }
    }

    /** Follows an event stream; {@code data} gets each event's JSON. */
    void stream(String path, Consumer<JsonNode> data) {
        try {
            HttpResponse<InputStream> response = http.send(
                    request(path).header("Accept", "text/event-stream").GET().build(),
                    HttpResponse.BodyHandlers.ofInputStream());
            if (response.statusCode() / 100 != 2) {
                throw new StartupException("the server answers " + response.statusCode(), "check id and token");
            }
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith("data: {\"")) {
                        data.accept(Json.tree(line.substring(6)));
                    }
                }
            }
        } catch (IOException e) {
            throw away();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private HttpRequest.Builder request(String path) {
        String token = System.getenv("EDEN_TOKEN");
        if (token == null || token.isBlank()) {
            throw new StartupException("there is no token", "set EDEN_TOKEN");
        }
        return HttpRequest.newBuilder(URI.create(url.replaceAll("/+$", "") + "/api/v1" + path))
                .header("Authorization", "Bearer " + token.strip());
    }

    private StartupException away() {
        return new StartupException("no Eden server answers at " + url, "start one, or correct --url (EDEN_URL)");
    }

    private static String pretty(String body) {
        if (body.isBlank()) {
            return "done";
        }
        try {
            return Json.mapper().readTree(body).toPrettyString();
        } catch (JsonProcessingException e) {
            return body;
        }
    }
}
