package dev.eden.api.mutants;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A way to a server: slow, or with requests stuck on it, or losing replies. What is stuck arrives when the way is free again, also when
 * whoever sent it is gone by then: bytes of a process that was stopped.
 */
final class Link implements AutoCloseable {
    private final ServerSocket listener;
    private final String host;
    private final int port;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong swallowed = new AtomicLong();
    private volatile Duration delay = Duration.ZERO;
    private volatile boolean swallowing;

    Link(String host, int port) {
        this.host = host;
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

    /** Requests take that long from now on. */
    void delay(Duration length) {
        delay = length;
    }

    /** Replies are lost from now on, until {@link #cut}. */
    void swallowReplies() {
        swallowing = true;
    }

    /** Bytes of lost replies. */
    long swallowed() {
        return swallowed.get();
    }

    /** On so many present connections replies were lost. */
    long swallowing() {
        return open.stream().filter(connection -> connection.swallowed).count();
    }

    /** Ends every connection. */
    void cut() {
        open.forEach(Connection::close);
        swallowing = false;
    }

    /** Requests on the present connections do not arrive from now on; later connections are not concerned. */
    void stick() {
        open.forEach(connection -> connection.stuck = true);
    }

    /** The most bytes that are on their way on one connection. */
    long underWay() {
        return open.stream()
                .mapToLong(connection -> connection.underWay.get())
                .max()
                .orElse(0);
    }

    /** The senders of what is stuck are gone. */
    void endSenders() {
        open.stream().filter(connection -> connection.stuck).forEach(connection -> close(connection.client));
    }

    /** What is stuck arrives, where the server still listens to it. */
    void release() {
        open.forEach(connection -> connection.free.countDown());
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Socket server = new Socket(host, port);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                Connection connection = new Connection(client, server);
                open.add(connection);
                Thread.ofVirtual().start(connection::takeRequests);
                Thread.ofVirtual().start(connection::passRequests);
                Thread.ofVirtual().start(connection::passReplies);
            } catch (IOException e) {
                // The server is away, or this is closed.
            }
        }
    }

    /** {@code bytes} null: the sender has ended. */
    private record Chunk(byte @Nullable [] bytes, long due) {}

    private final class Connection {
        final Socket client;
        final Socket server;
        final BlockingQueue<Chunk> requests = new LinkedBlockingQueue<>();
        final CountDownLatch free = new CountDownLatch(1);
        final AtomicLong underWay = new AtomicLong();
        volatile boolean stuck;
        volatile boolean swallowed;

        Connection(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void takeRequests() {
            byte[] buffer = new byte[1 << 16];
            try {
                for (int read = client.getInputStream().read(buffer);
                        read >= 0;
                        read = client.getInputStream().read(buffer)) {
                    underWay.addAndGet(read);
                    requests.add(new Chunk(Arrays.copyOf(buffer, read), System.nanoTime() + delay.toNanos()));
                }
            } catch (IOException e) {
                // As if it had ended.
            }
            requests.add(new Chunk(null, 0));
        }

        void passRequests() {
            try {
                OutputStream out = server.getOutputStream();
                while (true) {
                    Chunk chunk = requests.take();
                    TimeUnit.NANOSECONDS.sleep(chunk.due() - System.nanoTime());
                    if (stuck) {
                        free.await();
                    }
                    byte[] bytes = chunk.bytes();
                    if (bytes == null) {
                        server.shutdownOutput();
                        return;
                    }
                    out.write(bytes);
                    underWay.addAndGet(-bytes.length);
                }
            } catch (IOException e) {
                close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        void passReplies() {
            byte[] buffer = new byte[1 << 16];
            try {
                for (int read = server.getInputStream().read(buffer);
                        read >= 0;
                        read = server.getInputStream().read(buffer)) {
                    if (swallowing) {
                        Link.this.swallowed.addAndGet(read);
                        swallowed = true;
                    } else if (!client.isClosed()) {
                        client.getOutputStream().write(buffer, 0, read);
                    }
                }
            } catch (IOException e) {
                // Either side has gone.
            }
            close();
        }

        void close() {
            open.remove(this);
            free.countDown();
            Link.close(client);
            Link.close(server);
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
        cut();
    }
}
