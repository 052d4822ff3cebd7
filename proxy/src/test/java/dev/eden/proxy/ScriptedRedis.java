package dev.eden.proxy;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A server that answers as a test says: for what a real one does only by chance, or never. */
final class ScriptedRedis implements AutoCloseable {
    /** Answers bytes of a reply, "" for none (yet); {@code connection} may be written to or closed as well. */
    interface Script {
        String answer(List<String> request, Connection connection) throws IOException;
    }

    private final ServerSocket socket;
    private final Script script;
    final List<Connection> connections = new CopyOnWriteArrayList<>();

    ScriptedRedis(Script script) throws IOException {
        this.socket = new ServerSocket(0);
        this.script = script;
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return socket.getLocalPort();
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Connection connection = new Connection(socket.accept(), connections.size() + 1);
                connections.add(connection);
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Connection connection) {
        try (Socket open = connection.socket) {
            DataInputStream in = new DataInputStream(open.getInputStream());
            while (true) {
                List<String> request = request(in);
                String answer = greeting(request, connection);
                connection.write(answer == null ? script.answer(request, connection) : answer);
            }
        } catch (IOException e) {
            connection.ended = true;
        }
    }

    /** What every connection of the proxy begins with. */
    private static @Nullable String greeting(List<String> request, Connection connection) {
        String words = String.join(" ", request).toUpperCase(java.util.Locale.ROOT);
        return switch (words) {
            case "CLIENT ID" -> ":" + connection.id + "\r\n";
            case "COMMAND" -> "*0\r\n";
            default -> words.startsWith("CLIENT SETNAME") ? "+OK\r\n" : null;
        };
    }

    private static List<String> request(DataInputStream in) throws IOException {
        int count = Integer.parseInt(line(in).substring(1));
        return Stream.generate(() -> argument(in)).limit(count).toList();
    }

    private static String argument(DataInputStream in) {
        try {
            byte[] bytes = new byte[Integer.parseInt(line(in).substring(1)) + 2];
            in.readFully(bytes);
            return new String(bytes, 0, bytes.length - 2, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String line(DataInputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.readUnsignedByte(); b != '\n'; b = in.readUnsignedByte()) {
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Connection connection : connections) {
            connection.socket.close();
        }
    }

    static final class Connection {
        private final Socket socket;
        final int id;
        volatile boolean ended;

        Connection(Socket socket, int id) {
            this.socket = socket;
            this.id = id;
        }

        synchronized void write(String bytes) throws IOException {
            OutputStream out = socket.getOutputStream();
            out.write(bytes.getBytes(StandardCharsets.UTF_8));
            out.flush();
        }

        void close() throws IOException {
            socket.close();
        }
    }
}
