package dev.eden.demo;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A way from one process to another that can be cut: then nothing passes in either direction and nobody is told, as in a network's
 * partition; what was under way arrives after {@link #mend}, as TCP would send it again. Connections made meanwhile wait.
 */
public final class Link implements AutoCloseable {
    private final InetSocketAddress to;
    private final ServerSocket listener;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Object monitor = new Object();
    private boolean cut;
    private boolean closed;

    Link(InetSocketAddress to) {
        this(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), to);
    }

    /** @param at where it listens */
    Link(InetSocketAddress at, InetSocketAddress to) {
        this.to = to;
        try {
            listener = new ServerSocket(at.getPort(), 200, at.getAddress());
        } catch (IOException e) {
            throw new UncheckedIOException("no port for a link", e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    public void cut() {
        synchronized (monitor) {
            cut = true;
        }
    }

    public void mend() {
        synchronized (monitor) {
            cut = false;
            monitor.notifyAll();
        }
    }

    private void accept() {
        while (true) {
            Socket client;
            try {
                client = listener.accept();
            } catch (IOException closing) {
                return;
            }
            open.add(client);
            Thread.ofVirtual().start(() -> connect(client));
        }
    }

    private void connect(Socket client) {
        if (!passable()) {
            end(client, null);
            return;
        }
        Socket server = new Socket();
        open.add(server);
        try {
            server.connect(to);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        } catch (IOException refused) {
            end(client, server);
            return;
        }
        Thread.ofVirtual().start(() -> pump(client, server));
        pump(server, client);
    }

    private void pump(Socket from, Socket to) {
        byte[] buffer = new byte[1 << 16];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(buffer); read >= 0 && passable(); read = in.read(buffer)) {
                out.write(buffer, 0, read);
            }
            passable(); // the end of a connection is not heard of through a partition either
        } catch (IOException gone) {
            // One side went away: so does the other, below.
        }
        end(from, to);
    }

    /** Waits for as long as the link is cut; false when it has been closed. */
    private boolean passable() {
        synchronized (monitor) {
            while (cut && !closed) {
                try {
                    monitor.wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
            return !closed;
        }
    }

    private void end(Socket one, @Nullable Socket other) {
        for (Socket socket : other == null ? Set.of(one) : Set.of(one, other)) {
            open.remove(socket);
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (monitor) {
            closed = true;
            monitor.notifyAll();
        }
        listener.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
