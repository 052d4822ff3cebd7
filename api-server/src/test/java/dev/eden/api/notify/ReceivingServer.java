package dev.eden.api.notify;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.eden.api.config.Receiver;
import dev.eden.api.json.Json;
import dev.eden.proxy.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/** What people have at the other end: takes notifications, or does not. */
public final class ReceivingServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger requests = new AtomicInteger();
    private final List<Received> received = new CopyOnWriteArrayList<>();
    private final String path;
    /** The status of an answer, from the number of the request. */
    private volatile IntUnaryOperator answers = _ -> 204;

    /** @param status that it was answered with */
    public record Received(
            String path, String body, @Nullable String signature, int status) {
        public JsonNode json() {
            return Json.tree(body);
        }

        public String kind() {
            return json().path("kind").asText();
        }

        public String key() {
            return json().path("key").asText();
        }

        public long id() {
            return json().path("id").asLong();
        }
    }

    private ReceivingServer(HttpServer server, String path) {
        this.server = server;
        this.path = path;
        server.createContext("/", this::receive);
        server.setExecutor(threads);
        server.start();
    }

    /** {@code path}: where it is told to listen, which may be a secret. */
    public static ReceivingServer start(String path) throws IOException {
        return new ReceivingServer(
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0), path);
    }

    public ReceivingServer answering(IntUnaryOperator other) {
        answers = other;
        return this;
    }

    public Receiver as(String name, @Nullable String secret) {
        return new Receiver(
                name,
                new Secret("http://127.0.0.1:" + server.getAddress().getPort() + path),
                secret == null ? null : new Secret(secret));
    }

    /** All of them, also those that were not taken. */
    public List<Received> received() {
        return List.copyOf(received);
    }

    public List<Received> taken() {
        return received.stream().filter(one -> one.status() / 100 == 2).toList();
    }

    public List<String> kinds() {
        return taken().stream().map(Received::kind).toList();
    }

    private void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            int status = answers.applyAsInt(requests.getAndIncrement());
            received.add(new Received(
                    exchange.getRequestURI().toString(),
                    body,
                    exchange.getRequestHeaders().getFirst("Eden-Signature"),
                    status));
            exchange.getResponseHeaders().add("Location", "/elsewhere");
            exchange.sendResponseHeaders(status, -1);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
