package dev.eden.api.metrics;

import dev.eden.api.json.Json;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Three answers of one server. {@code /health}: every dependency by name, 503 where one is down. {@code /health/ready}: 503 where
 * requests would fail. {@code /health/live}: 200 for as long as the process answers at all; a restart does not bring a database
 * back, so no dependency is asked. What is wrong is named, why is in the log only. All dependencies are asked at once and none is
 * waited for longer than two seconds: an orchestrator's probe waits for less than the store's own timeouts.
 */
public final class HealthServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final transient Map<String, HealthLook> looks = new LinkedHashMap<>();
    private final transient Duration patience;

    public HealthServlet(Map<String, Check> checks) {
        this(checks, PATIENCE);
    }

    HealthServlet(Map<String, Check> checks, Duration patience) {
        checks.forEach((name, check) -> looks.put(name, new HealthLook(check)));
        this.patience = patience;
    }

    /**
     * A dependency.
     *
     * @param look may hang
     * @param late what it is when it does
     */
    public record Check(Supplier<Part> look, Part late) {
        /** Down when it hangs. */
        public static Check of(BooleanSupplier up) {
            return new Check(() -> Part.of(up.getAsBoolean()), Part.of(false));
        }
    }

    /** A status and what is said. */
    record Answer(int status, Map<String, ?> body) {}

    /** How a dependency is. */
    public enum State {
        UP,
        /** Who could say is away. */
        UNKNOWN,
        /** Something of it is away; requests are served. */
        DEGRADED,
        DOWN;

        String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** @param away names of what is missing, e.g. proxies; empty where nothing is */
    public record Part(State state, Map<String, Object> away) {
        public static Part of(boolean up) {
            return new Part(up ? State.UP : State.DOWN, Map.of());
        }

        static Part unknown() {
            return new Part(State.UNKNOWN, Map.of());
        }
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String path = request.getPathInfo() == null ? "" : request.getPathInfo();
        switch (path) {
            case "/live" -> write(response, new Answer(200, Map.of("status", "live")));
            case "", "/", "/ready" -> write(response, all());
            default -> response.sendError(404);
        }
    }

    Answer all() {
        long deadline = System.nanoTime() + patience.toNanos();
        Map<String, CompletableFuture<Part>> begun = new LinkedHashMap<>();
        looks.forEach((name, look) -> begun.put(name, look.begin()));
        Map<String, String> parts = new LinkedHashMap<>();
        Map<String, Object> away = new LinkedHashMap<>();
        State worst = State.UP;
        for (Map.Entry<String, HealthLook> look : looks.entrySet()) {
            CompletableFuture<Part> running = Objects.requireNonNull(begun.get(look.getKey()));
            Part part = look.getValue().await(running, deadline);
            parts.put(look.getKey(), part.state().label());
            away.putAll(part.away());
            if (part.state().compareTo(worst) > 0) {
                worst = part.state();
            }
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put(
                "status",
                switch (worst) {
                    case UP -> "healthy";
                    case UNKNOWN, DEGRADED -> "degraded";
                    case DOWN -> "unhealthy";
                });
        body.put("parts", parts);
        if (!away.isEmpty()) {
            body.put("away", away);
        }
        return new Answer(worst == State.DOWN ? 503 : 200, body);
    }

    private static void write(HttpServletResponse response, Answer answer) throws IOException {
        response.setStatus(answer.status());
        response.setContentType("application/json");
        response.getWriter().write(Json.write(answer.body()));
    }
}
