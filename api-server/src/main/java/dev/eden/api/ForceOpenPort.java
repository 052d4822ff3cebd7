package dev.eden.api;

import dev.eden.api.json.Json;
import dev.eden.api.store.SecretCipher;
import dev.eden.proxy.ForcedOpening;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** Takes orders to open ({@link ForceOpenOrder}) for the proxies of this process. Thread-safe; blocks until the proxy has answered. */
final class ForceOpenPort {
    private static final int LONGEST = 16 * 1024;

    private final SecretCipher cipher;
    private final Map<String, ProxyProcess> proxies;

    /** {@code proxies} by interlay. */
    ForceOpenPort(SecretCipher cipher, Map<String, ProxyProcess> proxies) {
        this.cipher = cipher;
        this.proxies = Map.copyOf(proxies);
    }

    /** @param status of HTTP: 200 opened, 403 not sealed as it should be, 404 no proxy of that interlay here, 409 refused */
    record Answer(int status, String body) {}

    Answer answer(InputStream request) throws IOException {
        ForceOpenOrder order;
        try {
            order = ForceOpenOrder.unseal(
                    cipher, new String(request.readNBytes(LONGEST), StandardCharsets.ISO_8859_1), Instant.now());
        } catch (IllegalArgumentException e) {
            return answer(403, "refused", String.valueOf(e.getMessage()));
        }
        ProxyProcess proxy = proxies.get(order.interlay());
        if (proxy == null) {
            return answer(404, "not_here", "this process has no proxy of interlay " + order.interlay());
        }
        try {
            ForcedOpening.Outcome outcome = proxy.forceOpen(order.opening());
            return answer(
                    outcome == ForcedOpening.Outcome.OPENED ? 200 : 409,
                    outcome.name().toLowerCase(java.util.Locale.ROOT),
                    outcome.meaning());
        } catch (IllegalStateException e) {
            return answer(503, "no_answer", String.valueOf(e.getMessage()));
        }
    }

    HttpServlet servlet() {
        return new Servlet(this);
    }

    private static Answer answer(int status, String outcome, String detail) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("outcome", outcome);
        body.put("detail", detail);
        return new Answer(status, Json.write(body));
    }

    private static final class Servlet extends HttpServlet {
        private static final long serialVersionUID = 1L;

        private final transient ForceOpenPort port;

        Servlet(ForceOpenPort port) {
            this.port = port;
        }

        @Override
        protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
            Answer answer = port.answer(request.getInputStream());
            response.setStatus(answer.status());
            response.setContentType("application/json");
            response.getWriter().write(answer.body());
        }
    }
}
