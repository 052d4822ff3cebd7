package dev.eden.api.metrics;

import dev.eden.api.json.Json;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** 200 where every check is true, else 503; what is checked says which part is away and nothing about why. */
public final class HealthServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    private final transient Map<String, BooleanSupplier> checks;

    public HealthServlet(Map<String, BooleanSupplier> checks) {
        this.checks = new LinkedHashMap<>(checks);
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Map<String, String> parts = new LinkedHashMap<>();
        boolean healthy = true;
        for (Map.Entry<String, BooleanSupplier> check : checks.entrySet()) {
            boolean up = check.getValue().getAsBoolean();
            healthy &= up;
            parts.put(check.getKey(), up ? "up" : "down");
        }
        response.setStatus(healthy ? 200 : 503);
        response.setContentType("application/json");
        response.getWriter().write(Json.write(Map.of("status", healthy ? "healthy" : "unhealthy", "parts", parts)));
    }
}
