package dev.eden.demo.load;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import redis.clients.jedis.HostAndPort;

/**
 * Stands between the load and a real Redis, one request at a time, and breaks one promise: for about one in {@code every}
 * requests that the fault applies to.
 */
final class FaultyFront implements AutoCloseable {
    private final Fault fault;
    private final int every;
    private final String host;
    private final int port;
    private final ServerSocket listener;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Map<String, Old> seen = new ConcurrentHashMap<>();
    private final AtomicInteger chances = new AtomicInteger();
    private final AtomicInteger planted = new AtomicInteger();
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();

    private record Old(byte[] reply, long at) {}

    FaultyFront(Fault fault, int every, String host, int port) throws IOException {
        this.fault = fault;
        this.every = every;
        this.host = host;
        this.port = port;
        this.listener = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    HostAndPort address() {
        return new HostAndPort("127.0.0.1", listener.getLocalPort());
    }

    /** How often the promise was broken. */
    int planted() {
        return planted.get();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                sockets.add(client);
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                Wire server = new Wire(new Socket(host, port))) {
            sockets.add(server.socket);
            client.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(client.getInputStream(), 1 << 16);
            OutputStream out = client.getOutputStream();
            boolean transaction = false;
            while (true) {
                List<String> command = readCommand(in);
                String name = command.getFirst().toUpperCase(Locale.ROOT);
                byte[] reply = transaction ? server.call(command) : answer(server, name, command);
                transaction = name.equals("MULTI") || (transaction && !name.equals("EXEC"));
                out.write(reply);
                out.flush();
            }
        } catch (IOException ended) {
            // The client or the server hung up: nothing more to forward.
        }
    }

    private boolean strike() {
        if (chances.incrementAndGet() % every != 0) {
            return false;
        }
        planted.incrementAndGet();
        return true;
    }

    private byte[] answer(Wire server, String name, List<String> command) throws IOException {
        String key = command.size() > 1 ? command.get(1) : "";
        boolean plainSet = name.equals("SET") && command.size() == 3;
        return switch (fault) {
            case NONE -> server.call(command);
            case DROP_SET ->
                (plainSet || name.equals("HSET")) && strike() ? text(plainSet ? "+OK" : ":0") : server.call(command);
            case DROP_PUSH ->
                name.equals("RPUSH") && strike() ? oneMore(server.call(List.of("LLEN", key))) : server.call(command);
            case DROP_INCREMENT ->
                name.equals("INCR") && strike()
                        ? text(":" + (bulkNumber(server.call(List.of("GET", key))) + 1))
                        : server.call(command);
            case DROP_PERSIST ->
                name.equals("PERSIST") && strike() ? server.call(List.of("EXISTS", key)) : server.call(command);
            case DOUBLE_APPEND -> twice(server, name.equals("APPEND"), command);
            case DOUBLE_PUSH -> twice(server, name.equals("RPUSH"), command);
            case DOUBLE_INCREMENT -> twice(server, name.equals("INCR"), command);
            case DELAY_PUSH -> name.equals("RPUSH") && strike() ? delay(server, key, command) : server.call(command);
            case RESURRECT_DELETED -> name.equals("DEL") ? delete(server, key, command) : server.call(command);
            case RESURRECT_EXPIRED ->
                server.call(name.equals("SET") && command.size() > 3 && strike() ? command.subList(0, 3) : command);
            case STALE_GET -> name.equals("GET") ? old(server, command) : server.call(command);
            case STALE_RANGE -> name.equals("LRANGE") ? old(server, command) : server.call(command);
            case TORN_SCRIPT -> {
                if (name.equals("EVAL") && command.get(3).endsWith(":a") && strike()) {
                    server.call(List.of("SET", command.get(3), command.get(5)));
                    pause(60);
                }
                yield server.call(command);
            }
            case NO_WATCH -> name.equals("WATCH") && strike() ? text("+OK") : server.call(command);
            case POP_TWICE, POP_LOST, POP_YOUNGEST ->
                name.equals("BLPOP") ? pop(server, command) : server.call(command);
            case CORRUPT_GET -> {
                byte[] reply = server.call(command);
                if (name.equals("GET") && reply.length > 30 && strike()) {
                    reply[reply.length - 5]++;
                }
                yield reply;
            }
        };
    }

    private byte[] twice(Wire server, boolean applies, List<String> command) throws IOException {
        byte[] reply = server.call(command);
        if (applies && strike()) {
            server.call(command);
        }
        return reply;
    }

    private byte[] delay(Wire server, String key, List<String> command) throws IOException {
        later.schedule(
                () -> {
                    try (Wire wire = new Wire(new Socket(host, port))) {
                        wire.call(command);
                    }
                    return null;
                },
                50,
                TimeUnit.MILLISECONDS);
        return oneMore(server.call(List.of("LLEN", key)));
    }

    private byte[] delete(Wire server, String key, List<String> command) throws IOException {
        String value = bulk(server.call(List.of("GET", key)));
        byte[] reply = server.call(command);
        if (value != null && strike()) {
            later.schedule(
                    () -> {
                        try (Wire wire = new Wire(new Socket(host, port))) {
                            wire.call(List.of("SET", key, value, "NX"));
                        }
                        return null;
                    },
                    30,
                    TimeUnit.MILLISECONDS);
        }
        return reply;
    }

    private byte[] old(Wire server, List<String> command) throws IOException {
        byte[] now = server.call(command);
        Old before = seen.get(command.get(1));
        if (before == null || (before.at < System.nanoTime() - 50_000_000 && !strikeIfOlder(before, now))) {
            seen.put(command.get(1), new Old(now, System.nanoTime()));
            return now;
        }
        return before.at < System.nanoTime() - 50_000_000 ? before.reply : now;
    }

    private boolean strikeIfOlder(Old before, byte[] now) {
        return !java.util.Arrays.equals(before.reply, now) && strike();
    }

    private byte[] pop(Wire server, List<String> command) throws IOException {
        String key = command.get(1);
        if (fault == Fault.POP_YOUNGEST && strike()) {
            List<String> fromTheRight = new ArrayList<>(command);
            fromTheRight.set(0, "BRPOP");
            pause(40);
            return server.call(fromTheRight);
        }
        byte[] reply = server.call(command);
        boolean nothing = reply[0] == '*' && reply[1] == '-';
        if (nothing || fault == Fault.POP_YOUNGEST || !strike()) {
            return reply;
        }
        if (fault == Fault.POP_LOST) {
            return server.call(command);
        }
        String[] lines = new String(reply, StandardCharsets.ISO_8859_1).split("\r\n");
        server.call(List.of("RPUSH", key, lines[4]));
        return reply;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] text(String line) {
        return (line + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] oneMore(byte[] integer) {
        return text(
                ":" + (Long.parseLong(new String(integer, 1, integer.length - 3, StandardCharsets.ISO_8859_1)) + 1));
    }

    private static @org.jspecify.annotations.Nullable String bulk(byte[] reply) {
        String text = new String(reply, StandardCharsets.ISO_8859_1);
        return text.startsWith("$-1") ? null : text.substring(text.indexOf("\r\n") + 2, text.length() - 2);
    }

    private static long bulkNumber(byte[] reply) {
        String text = bulk(reply);
        return text == null ? 0 : Long.parseLong(text);
    }

    private static List<String> readCommand(InputStream in) throws IOException {
        int count = Integer.parseInt(line(in).substring(1));
        List<String> command = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            byte[] bytes = in.readNBytes(Integer.parseInt(line(in).substring(1)) + 2);
            command.add(new String(bytes, 0, bytes.length - 2, StandardCharsets.ISO_8859_1));
        }
        return command;
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException();
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        later.shutdownNow();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    /** One connection to the server, one request at a time. */
    private static final class Wire implements AutoCloseable {
        private final Socket socket;
        private final InputStream in;

        Wire(Socket socket) throws IOException {
            this.socket = socket;
            socket.setTcpNoDelay(true);
            this.in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        }

        byte[] call(List<String> command) throws IOException {
            ByteArrayOutputStream request = new ByteArrayOutputStream();
            request.write(text("*" + command.size()));
            for (String argument : command) {
                byte[] bytes = argument.getBytes(StandardCharsets.ISO_8859_1);
                request.write(text("$" + bytes.length));
                request.write(bytes);
                request.write('\r');
                request.write('\n');
            }
            socket.getOutputStream().write(request.toByteArray());
            ByteArrayOutputStream reply = new ByteArrayOutputStream();
            read(reply);
            return reply.toByteArray();
        }

        private void read(ByteArrayOutputStream reply) throws IOException {
            String head = line(in);
            reply.write(text(head));
            if (head.charAt(0) == '$' && !head.equals("$-1")) {
                reply.write(in.readNBytes(Integer.parseInt(head.substring(1)) + 2));
            } else if (head.charAt(0) == '*') {
                for (int i = 0; i < Integer.parseInt(head.substring(1)); i++) {
                    read(reply);
                }
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
