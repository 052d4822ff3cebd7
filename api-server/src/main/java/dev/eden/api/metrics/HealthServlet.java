package dev.eden.api.metrics;

import dev.eden.api.json.Json;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Three answers of one server. {@code /health}: every dependency by name, 503 where one is down. {@code /health/ready}: 503 where
 * requests would fail. {@code /health/live}: 200 for as long as the process answers at all; a restart does not bring a database
 * back, so no dependency is asked. What is wrong is named, why is in the log only.
 */
public final class HealthServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    private final transient Map<String, Supplier<Part>> checks;

    public HealthServlet(Map<String, Supplier<Part>> checks) {
        this.checks = new LinkedHashMap<>(checks);
    }

    /** How a dependency is. */
    public enum State {
        UP,
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
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String path = request.getPathInfo() == null ? "" : request.getPathInfo();
        switch (path) {
            case "/live" -> answer(response, 200, Map.of("status", "live"));
            case "", "/", "/ready" -> all(response);
            default -> response.sendError(404);
        }
    }

    private void all(HttpServletResponse response) throws IOException {
        Map<String, String> parts = new LinkedHashMap<>();
        Map<String, Object> away = new LinkedHashMap<>();
        State worst = State.UP;
        for (Map.Entry<String, Supplier<Part>> check : checks.entrySet()) {
            Part part = check.getValue().get();
            parts.put(check.getKey(), part.state().label());
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
                    case DEGRADED -> "degraded";
                    case DOWN -> "unhealthy";
                });
        body.put("parts", parts);
        if (!away.isEmpty()) {
            body.put("away", away);
        }
        answer(response, worst == State.DOWN ? 503 : 200, body);
    }

    private static void answer(HttpServletResponse response, int status, Map<String, ?> body) throws IOException {
        response.setStatus(status);
        response.setContentType("application/json");
        response.getWriter().write(Json.write(body));
    }
}
