package dev.eden.proxy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** A network in front of a server that cuts what goes one way where a test wants it: at {@code CUT} it ends, at {@code STAY} it waits. */
final class Relay implements AutoCloseable {
    private final ServerSocket listener;
    private final int server;
    private final boolean looksUp;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final CountDownLatch goesOn = new CountDownLatch(1);
    /** Bytes that have gone to the server. */
    final AtomicLong asked = new AtomicLong();

    volatile boolean stays;

    /** Looks at what the server says. */
    Relay(int server) throws IOException {
        this(server, false);
    }

    /** @param asked looks at what the server is asked instead */
    Relay(int server, boolean asked) throws IOException {
        this.server = server;
        this.looksUp = asked;
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    void goOn() {
        goesOn.countDown();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                Socket behind = new Socket(InetAddress.getLoopbackAddress(), server);
                sockets.add(client);
                sockets.add(behind);
                Thread.ofVirtual().start(() -> copy(client, behind, true));
                Thread.ofVirtual().start(() -> copy(behind, client, false));
            }
        } catch (IOException closed) {
            // over
        }
    }

    private void copy(Socket from, Socket to, boolean up) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                String text = up != looksUp ? "" : new String(buffer, 0, n, StandardCharsets.ISO_8859_1);
                int cut = text.indexOf("CUT");
                int stay = text.indexOf("STAY");
                int head = cut >= 0 ? cut + 3 : stay >= 0 ? stay + 4 : n;
                out.write(buffer, 0, head);
                if (cut >= 0) {
                    return;
                }
                if (stay >= 0) {
                    stays = true;
                    goesOn.await();
                    out.write(buffer, head, n - head);
                }
                if (up) {
                    asked.addAndGet(n);
                }
            }
        } catch (IOException | InterruptedException e) {
            // one of them has gone
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
