package dev.eden.activities.redis.replication;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Stands between a client and a server; can cut all connections at once, or swallow the server's next replies and cut then. */
final class CuttingRelay implements AutoCloseable {
    private final ServerSocket listener;
    private final String host;
    private final int port;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile int swallow;
    private volatile @Nullable String swallowBehind;
    private final AtomicReference<@Nullable Garble> garble = new AtomicReference<>();

    private record Garble(String within, String word, String instead) {}

    CuttingRelay(String host, int port) {
        this.host = host;
        this.port = port;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    void cut() {
        open.forEach(CuttingRelay::close);
    }

    /** The next answer to a transaction is lost, and its connection with it: what was asked was done, but nobody hears of it. */
    void swallowAndCut() {
        swallow = 1;
    }

    /** The same for the first transaction that holds {@code word}. */
    void swallowAndCut(String word) {
        swallowBehind = word;
    }

    /** Once, in what is sent to the server and holds {@code within}: another word of the same length, so that it is refused. */
    void garble(String within, String word, String instead) {
        garble.set(new Garble(within, word, instead));
    }

    private byte[] garbled(byte[] buffer, int length) {
        Garble wanted = garble.get();
        String text = wanted == null ? "" : new String(buffer, 0, length, StandardCharsets.ISO_8859_1);
        if (wanted == null || !text.contains(wanted.within()) || !garble.compareAndSet(wanted, null)) {
            return buffer;
        }
        return text.replace(wanted.word(), wanted.instead()).getBytes(StandardCharsets.ISO_8859_1);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Socket server = new Socket(host, port);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                open.add(client);
                open.add(server);
                Thread.ofVirtual().start(() -> pump(client, server, false));
                Thread.ofVirtual().start(() -> pump(server, client, true));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void pump(Socket from, Socket to, boolean replies) {
        byte[] buffer = new byte[1 << 16];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (replies && swallow > 0 && isOfTransaction(buffer, read)) {
                    swallow = 0;
                    return;
                }
                String behind = swallowBehind;
                if (!replies
                        && behind != null
                        && new String(buffer, 0, read, StandardCharsets.ISO_8859_1).contains(behind)) {
                    swallowBehind = null;
                    swallow = 1;
                }
                out.write(replies ? buffer : garbled(buffer, read), 0, read);
            }
        } catch (IOException e) {
            // One side went away: so does the other.
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private static boolean isOfTransaction(byte[] buffer, int length) {
        return new String(buffer, 0, length, StandardCharsets.ISO_8859_1).contains("+QUEUED");
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
