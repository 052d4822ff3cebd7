package dev.eden.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Takes OTLP over HTTP, as a collector does. */
final class SpanCollector implements AutoCloseable {
    private final List<byte[]> bodies = new CopyOnWriteArrayList<>();
    private final HttpServer http;

    private SpanCollector(HttpServer http) {
        this.http = http;
    }

    /** Ids are hexadecimal digits; {@code parent} empty: none. */
    record Span(String trace, String id, String parent, String name) {}

    static SpanCollector start() throws IOException {
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        SpanCollector collector = new SpanCollector(http);
        http.createContext("/v1/traces", exchange -> {
            collector.bodies.add(exchange.getRequestBody().readAllBytes());
            exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        http.start();
        return collector;
    }

    String endpoint() {
        return "http://127.0.0.1:" + http.getAddress().getPort();
    }

    /** All that came, whatever its meaning. */
    String text() {
        StringBuilder text = new StringBuilder();
        bodies.forEach(body -> text.append(new String(body, StandardCharsets.ISO_8859_1)));
        return text.toString();
    }

    List<Span> spans() {
        return bodies.stream()
                .flatMap(body -> members(parsed(body), 1).stream())
                .flatMap(resource -> members(resource, 2).stream())
                .flatMap(scope -> members(scope, 2).stream())
                .map(span -> new Span(
                        hex(span, 1), hex(span, 2), hex(span, 4), bytes(span, 5).toStringUtf8()))
                .toList();
    }

    private static List<UnknownFieldSet> members(UnknownFieldSet message, int number) {
        return message.getField(number).getLengthDelimitedList().stream()
                .map(bytes -> parsed(bytes.toByteArray()))
                .toList();
    }

    private static UnknownFieldSet parsed(byte[] message) {
        try {
            return UnknownFieldSet.parseFrom(message);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("no OTLP", e);
        }
    }

    private static String hex(UnknownFieldSet message, int number) {
        return HexFormat.of().formatHex(bytes(message, number).toByteArray());
    }

    private static ByteString bytes(UnknownFieldSet message, int number) {
        List<ByteString> all = message.getField(number).getLengthDelimitedList();
        return all.isEmpty() ? ByteString.EMPTY : all.getLast();
    }

    @Override
    public void close() {
        http.stop(0);
    }
}
