package dev.eden.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/**
 * Behaves like Eden as far as the demo can tell, and moves nothing: its proxies always forward to the source; a Redis target is a
 * replica, and a PostgreSQL never becomes active. It shows whether the demo's own parts work where nothing can go wrong.
 */
public final class Eden {
    private final Map<String, HostAndPort> endpoints = new HashMap<>();
    private final List<String> attempts = new ArrayList<>();
    private final Path addresses;
    private String phase = "created";
    private boolean paused;
    private boolean postgres;
    private int polls;
    private double share = 0.05;
    private long epoch = 1;
    private String active = "demo_source";

    private Eden(Path addresses) {
        this.addresses = addresses;
    }

    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>();
        for (String argument : args) {
            String[] parts = argument.split("=", 2);
            options.put(parts[0], parts.length > 1 ? parts[1] : "");
        }
        Path directory = Path.of(options.getOrDefault("--data-dir", "."));
        Files.createDirectories(directory);
        Path addresses = directory.resolve("source-address");
        if (args[0].equals("proxy")) {
            forward(options.getOrDefault("--listen", ""), HostAndPort.from(Files.readString(addresses)));
        } else {
            int port = Integer.parseInt(options.getOrDefault("--api-port", "0"));
            HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            Eden eden = new Eden(addresses);
            http.setExecutor(Executors.newSingleThreadExecutor());
            http.createContext("/", eden::handle);
            http.start();
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        JsonNode body = new ObjectMapper().readTree(exchange.getRequestBody().readAllBytes());
        String path = exchange.getRequestURI().getPath().replace("/api/v1", "");
        String authorization = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
        int status = authorization.equals("Bearer " + System.getenv("EDEN_ADMIN_TOKEN"))
                ? act(exchange.getRequestMethod(), path, body)
                : 401;
        byte[] answer = answer(path).getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    private int act(String method, String path, JsonNode body) throws IOException {
        if (method.equals("GET")) {
            return 200;
        }
        String last = path.substring(path.lastIndexOf('/') + 1);
        switch (last) {
            case "endpoints" -> {
                URI uri = URI.create(body.path("uri").asText());
                postgres = uri.getScheme().startsWith("postgres");
                endpoints.put(body.path("id").asText(), new HostAndPort(uri.getHost(), uri.getPort()));
            }
            case "interlays" ->
                Files.writeString(
                        addresses, address(body.path("endpoint").asText()).toString());
            case "migrate" -> {
                if (!postgres) {
                    try (Jedis target = new Jedis(address("demo_target"))) {
                        target.replicaof(
                                address("demo_source").getHost(),
                                address("demo_source").getPort());
                    }
                }
                phase = "replicating";
            }
            case "pause" -> paused = true;
            case "resume" -> paused = false;
            case "cutover", "rollback" -> {
                if (attempts.size() == 1 && last.equals("rollback") && polls % 2 == 0) {
                    polls++;
                    return 409;
                }
                flip(last.equals("cutover"));
            }
            case "finalize" -> phase = "completed";
            case "demo" -> share = body.at("/strategy/read_percentage").asDouble();
            default -> {}
        }
        return 202;
    }

    private HostAndPort address(String endpoint) {
        HostAndPort address = endpoints.get(endpoint);
        if (address == null) {
            throw new IllegalStateException("no endpoint " + endpoint);
        }
        return address;
    }

    private void flip(boolean forward) {
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        attempts.add("""
                {"attempt": %d, "direction": "%s", "outcome": "committed",
                 "report": {"hold_at_micros": %d, "opened_at_micros": %d}}""".formatted(attempts.size() + 1, forward ? "forward" : "rollback", now, now + 5_000));
        phase = forward ? "baking" : "canary";
        active = forward && !postgres ? "demo_target" : "demo_source";
        share = 0;
        epoch++;
    }

    private String answer(String path) {
        if (path.endsWith("/plan")) {
            return """
                    {"findings": [{"id": "redis.mechanism", "severity": "info", "message": "a stand-in"}]}""";
        }
        if (path.endsWith("/traffic")) {
            return """
                    {"proxies": [{"report": {"served_by_standby": 100}}]}""";
        }
        if (!path.endsWith("/status")) {
            return "{}";
        }
        if (phase.equals("replicating") && !paused && ++polls > 20) {
            phase = "canary";
        }
        return """
                {"phase": "%s", "paused": %b, "replication_lag_ms": 1, "epoch": %d, "active": "%s",
                 "progress": {"keys_done": 10, "keys_total": 10, "rate": 10, "eta_seconds": 0},
                 "canary": {"read_percentage": %s}, "attempts": %s}""".formatted(phase, paused, epoch, active, share, attempts);
    }

    private static void forward(String listen, HostAndPort to) throws IOException {
        HostAndPort address = HostAndPort.from(listen);
        try (ServerSocket listener =
                new ServerSocket(address.getPort(), 100, InetAddress.getByName(address.getHost()))) {
            while (true) {
                Socket client = listener.accept();
                Socket server = new Socket(to.getHost(), to.getPort());
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                pump(client, server);
                pump(server, client);
            }
        }
    }

    private static void pump(Socket from, Socket to) {
        Thread.ofVirtual().start(() -> {
            try (from;
                    to;
                    InputStream in = from.getInputStream()) {
                in.transferTo(to.getOutputStream());
            } catch (IOException hungUp) {
                // One of the two ended the connection; closing both is all there is to do.
            }
        });
    }
}
