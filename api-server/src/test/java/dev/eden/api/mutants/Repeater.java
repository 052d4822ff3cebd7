package dev.eden.api.mutants;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Stands between a proxy and a PostgreSQL and plays the part that the proxy does not have: where the server's connection is lost and a statement outside a
 * transaction has had no answer, it is sent again on a new one, and the proxy never learns of the loss. The proxy itself keeps nothing that it could send again, so there is no line
 * in it that could be taken out. The server must let its users in without a password: a login can't be repeated.
 */
final class Repeater implements AutoCloseable {
    private static final int CANCEL = 80_877_102;
    /** Whatever may come at any time: what a session was told of, not an answer. */
    private static final Set<Character> UNASKED = Set.of('N', 'S', 'A');

    private final ServerSocket listener;
    private final int port;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong repeated = new AtomicLong();

    /** {@code port} of the way to the server, on this machine. */
    Repeater(int port) {
        this.port = port;
        try {
            listener = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /** How often something was sent again. */
    long repeated() {
        return repeated.get();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket proxy = listener.accept();
                Connection connection = new Connection(proxy, connect());
                open.add(connection);
                Thread.ofVirtual().start(connection::takeRequests);
                Thread.ofVirtual().start(connection::passReplies);
            } catch (IOException e) {
                // The server is away, or this is closed.
            }
        }
    }

    private Socket connect() throws IOException {
        Socket server = new Socket(InetAddress.getLoopbackAddress(), port);
        server.setTcpNoDelay(true);
        return server;
    }

    /** @param bytes all of it, its type and length as well */
    private record Frame(char type, byte[] bytes) {
        static Frame read(DataInputStream in) throws IOException {
            int type = in.readUnsignedByte();
            int length = in.readInt();
            byte[] body = in.readNBytes(length - 4);
            if (body.length < length - 4) {
                throw new EOFException();
            }
            return new Frame(
                    (char) type,
                    ByteBuffer.allocate(length + 1)
                            .put((byte) type)
                            .putInt(length)
                            .put(body)
                            .array());
        }

        /** Of a Parse the statement's, of a Close of a statement too. */
        String name(int from) {
            String text = new String(bytes, from, bytes.length - from, StandardCharsets.ISO_8859_1);
            return text.substring(0, text.indexOf('\0'));
        }

        /** After it the server says that it is ready. */
        boolean endsRequest() {
            return type == 'Q' || type == 'S' || type == 'F';
        }
    }

    private final class Connection {
        private static final byte[] SYNC = {'S', 0, 0, 0, 4};

        private final Socket proxy;
        private final Deque<List<Frame>> unanswered = new ArrayDeque<>();
        private final Map<String, Frame> prepared = new LinkedHashMap<>();
        private List<Frame> beginning = new ArrayList<>();
        private Socket server;
        private byte[] startup = new byte[0];
        private char status = ' ';
        private boolean answerBegun;

        Connection(Socket proxy, Socket server) throws IOException {
            this.proxy = proxy;
            this.server = server;
            proxy.setTcpNoDelay(true);
        }

        void takeRequests() {
            try {
                DataInputStream in = new DataInputStream(proxy.getInputStream());
                int length = in.readInt();
                byte[] rest = in.readNBytes(length - 4);
                byte[] first =
                        ByteBuffer.allocate(length).putInt(length).put(rest).array();
                boolean cancel = ByteBuffer.wrap(rest).getInt() == CANCEL;
                synchronized (this) {
                    startup = first;
                    server.getOutputStream().write(first);
                }
                while (!cancel) {
                    take(Frame.read(in));
                }
            } catch (IOException e) {
                // It has ended.
            }
            close();
        }

        private synchronized void take(Frame frame) throws IOException {
            if (status != ' ') {
                List<Frame> copying = unanswered.peekLast();
                if (Set.of('d', 'c', 'f').contains(frame.type()) && copying != null) {
                    copying.add(frame);
                } else {
                    beginning.add(frame);
                }
                if (frame.endsRequest()) {
                    unanswered.add(beginning);
                    beginning = new ArrayList<>();
                }
            }
            try {
                server.getOutputStream().write(frame.bytes());
            } catch (IOException e) {
                // Who reads its answers notices it as well, and has what to send again.
            }
        }

        void passReplies() {
            try {
                while (true) {
                    Socket present = server();
                    try {
                        DataInputStream in = new DataInputStream(present.getInputStream());
                        while (true) {
                            pass(Frame.read(in));
                        }
                    } catch (IOException lost) {
                        if (!again()) {
                            break;
                        }
                    }
                }
            } catch (IOException e) {
                // Either side has gone.
            }
            close();
        }

        private synchronized Socket server() {
            return server;
        }

        private synchronized void pass(Frame frame) throws IOException {
            if (frame.type() == 'Z') {
                List<Frame> answered = unanswered.poll();
                if (answered != null) {
                    answered.forEach(this::remember);
                }
                status = (char) frame.bytes()[frame.bytes().length - 1];
            }
            answerBegun = frame.type() != 'Z' && (answerBegun || !UNASKED.contains(frame.type()));
            proxy.getOutputStream().write(frame.bytes());
        }

        private void remember(Frame frame) {
            if (frame.type() == 'P' && !frame.name(5).isEmpty()) {
                prepared.put(frame.name(5), frame);
            } else if (frame.type() == 'C' && frame.bytes()[5] == 'S') {
                prepared.remove(frame.name(6));
            }
        }

        /** False where there is nothing to send again. */
        private synchronized boolean again() throws IOException {
            if (status != 'I' || answerBegun || unanswered.isEmpty() || proxy.isClosed()) {
                return false;
            }
            Repeater.close(server);
            server = connect();
            OutputStream out = server.getOutputStream();
            DataInputStream in = new DataInputStream(server.getInputStream());
            out.write(startup);
            awaitReady(in);
            for (Frame statement : prepared.values()) {
                out.write(statement.bytes());
                out.write(SYNC);
                awaitReady(in);
            }
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            unanswered.forEach(request -> request.forEach(frame -> all.writeBytes(frame.bytes())));
            beginning.forEach(frame -> all.writeBytes(frame.bytes()));
            repeated.incrementAndGet();
            out.write(all.toByteArray());
            return true;
        }

        private void awaitReady(DataInputStream in) throws IOException {
            while (Frame.read(in).type() != 'Z') {
                // What the proxy knows already.
            }
        }

        void close() {
            open.remove(this);
            Repeater.close(proxy);
            Repeater.close(server());
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        open.forEach(Connection::close);
    }
}
