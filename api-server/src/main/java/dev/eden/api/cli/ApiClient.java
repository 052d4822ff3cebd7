package dev.eden.api.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.rest.ProblemDocument;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/** The REST API as the client verbs use it. What is not 2xx becomes a {@link CliFailure}. */
final class ApiClient {
    /** Longer than the server's own patience with Temporal; a plan connects to both databases. */
    private static final Duration ANSWER = Duration.ofSeconds(60);

    /** The largest page that the server gives. */
    private static final int PAGE = 1_000;

    private final String url;
    private final Unanswered unanswered;
    private final Supplier<String> token;
    private final Where where;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    /** @param where for the commands of its remedies */
    ApiClient(String url, Supplier<String> token, Where where) {
        this.url = url.replaceAll("/+$", "");
        this.unanswered = new Unanswered(this.url);
        this.token = token;
        this.where = where;
    }

    /** A path whose parts are encoded. */
    static String path(String... parts) {
        StringBuilder path = new StringBuilder();
        for (String part : parts) {
            path.append('/')
                    .append(URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"));
        }
        return path.toString();
    }

    JsonNode get(String path) {
        return call("GET", path, null);
    }

    /** For those who ask again soon. */
    JsonNode get(String path, Duration patience) {
        return call("GET", path, null, patience);
    }

    /**
     * A list of the API, all its pages as one answer.
     *
     * @param filters a query that begins with {@code ?}, or nothing
     * @param after where it begins; null: at its beginning
     */
    JsonNode list(String path, String filters, @Nullable String after, String member) {
        ObjectNode all = Json.mapper().createObjectNode();
        ArrayNode members = all.putArray(member);
        all.putNull("next");
        String pages = path + (filters.isEmpty() ? "?" : filters + "&") + "limit=" + PAGE;
        @Nullable String from = after;
        do {
            JsonNode page =
                    get(pages + (from == null ? "" : "&after=" + URLEncoder.encode(from, StandardCharsets.UTF_8)));
            page.path(member).forEach(members::add);
            from = page.hasNonNull("next") ? page.path("next").asText() : null;
        } while (from != null);
        return all;
    }

    JsonNode list(String path, String member) {
        return list(path, "", null, member);
    }

    JsonNode post(String path, @Nullable String body) {
        return call("POST", path, body);
    }

    /** Mutations carry a fresh Idempotency-Key and are sent once. Missing where there is no body. */
    JsonNode call(String method, String path, @Nullable String body) {
        return call(method, path, body, ANSWER);
    }

    private JsonNode call(String method, String path, @Nullable String body, Duration patience) {
        HttpRequest.Builder request = request(path)
                .timeout(patience)
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        // The secret of a token is in one answer only: that answer is not kept for a repeat.
        if (!method.equals("GET") && !path.startsWith("/tokens")) {
            request.header("Idempotency-Key", UUID.randomUUID().toString());
        }
        HttpResponse<String> response = send(request.build(), HttpResponse.BodyHandlers.ofString());
        JsonNode tree = parse(response.body());
        if (response.statusCode() / 100 != 2) {
            throw refused(path, response.statusCode(), tree);
        }
        return tree;
    }

    /** A document that is no JSON. */
    String text(String path, String mediaType) {
        HttpResponse<String> response = send(
                request(path)
                        .timeout(ANSWER)
                        .header("Accept", mediaType + ", application/problem+json")
                        .GET()
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw refused(path, response.statusCode(), parse(response.body()));
        }
        return response.body();
    }

    /**
     * Reads an event stream as far as it goes; {@code line} gets each of its lines, empty ones too.
     *
     * @param lastEvent the last one that is known; null: from the beginning
     * @param silence after which the server is taken for dead
     */
    void stream(String path, @Nullable String lastEvent, Duration silence, Consumer<String> line) {
        HttpRequest.Builder request =
                request(path).header("Accept", "text/event-stream").GET();
        if (lastEvent != null) {
            request.header("Last-Event-ID", lastEvent);
        }
        HttpResponse<InputStream> response =
                begun(http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream()));
        Watchdog dog = new Watchdog(silence, response.body());
        try (dog;
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            if (response.statusCode() / 100 != 2) {
                throw refused(path, response.statusCode(), parse(String.join("", lines.readAllLines())));
            }
            for (String one = lines.readLine(); one != null; one = lines.readLine()) {
                dog.heard();
                line.accept(one);
            }
        } catch (IOException e) {
            throw unanswered.broken(e);
        }
    }

    /** A request's own time limit might be one on all of its answer. */
    private <T> HttpResponse<T> begun(CompletableFuture<HttpResponse<T>> response) {
        try {
            return response.get(ANSWER.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? unanswered.broken(io) : unanswered.away();
        } catch (TimeoutException e) {
            response.cancel(true);
            throw unanswered.away();
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private static CliFailure interrupted() {
        Thread.currentThread().interrupt();
        return new CliFailure(ExitCode.INTERRUPTED, "interrupted", "what was asked may have been done: look");
    }

    private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        try {
            return http.send(request, handler);
        } catch (HttpConnectTimeoutException e) {
            throw unanswered.away();
        } catch (HttpTimeoutException e) {
            throw unanswered.silent(request.method(), request.timeout().orElse(ANSWER));
        } catch (IOException e) {
            throw unanswered.broken(e);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private HttpRequest.Builder request(String path) {
        try {
            return HttpRequest.newBuilder(URI.create(url + "/api/v1" + path))
                    .header("Authorization", "Bearer " + token.get());
        } catch (IllegalArgumentException e) {
            // The exception's message may repeat the token.
            throw new CliFailure(
                    ExitCode.USAGE,
                    "the server's URL or the token has characters that neither may have",
                    "a URL looks like http://HOST:8000; a token is one line of letters, digits and dashes");
        }
    }

    private CliFailure refused(String path, int status, JsonNode problem) {
        String title = problem.path("title").asText("the server answers " + status);
        StringBuilder message = new StringBuilder(title);
        String detail = problem.path("detail").asText("");
        if (!detail.isEmpty() && !detail.equalsIgnoreCase(title)) {
            message.append(": ").append(detail);
        }
        problem.path("errors")
                .forEach(error -> message.append("\n  ")
                        .append(error.path("pointer").asText())
                        .append(": ")
                        .append(error.path("detail").asText()));
        problem.path("blockers")
                .forEach(blocker -> message.append("\n  blocker: ").append(blocker.asText()));
        FindingText.lines(problem.path("findings"), false)
                .forEach(line -> message.append('\n').append(line));
        return new CliFailure(
                ExitCode.ofStatus(status),
                message.toString(),
                remedy(path, problem),
                problem.isMissingNode() ? null : problem);
    }

    /** In commands, for the id that was asked about; what a newer server knows of comes in its own words. */
    private String remedy(String path, JsonNode problem) {
        String slug = problem.path("type").asText().replace(ProblemDocument.TYPE, "");
        String remedy = ErrorCode.of(slug)
                .map(code -> code.commandLineRemedy(where::in))
                .orElse(problem.path("remedy").asText("see the server's log"));
        String[] parts = path.split("[/?]");
        String id = parts.length > 2 ? URLDecoder.decode(parts[2], StandardCharsets.UTF_8) : "ID";
        return remedy.replaceAll("\\bID\\b", Matcher.quoteReplacement(id));
    }

    private static JsonNode parse(@Nullable String body) {
        if (body == null || body.isBlank()) {
            return MissingNode.getInstance();
        }
        try {
            return Json.mapper().readTree(body);
        } catch (JsonProcessingException e) {
            throw new CliFailure(
                    ExitCode.UNREACHABLE,
                    "what answers is no Eden server: its answer is not JSON",
                    "check --url: the API's port, not the metrics'");
        }
    }
}
