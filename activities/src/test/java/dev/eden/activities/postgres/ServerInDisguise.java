package dev.eden.activities.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A way to a server on which it calls itself by another major version, or that nobody finds any more after the first who went it. */
final class ServerInDisguise implements AutoCloseable {
    private static final String VERSION = "server_version\0";

    private final ServerSocket listener;
    private final int server;
    private final int major;
    private final int most;

    /**
     * @param major of two digits; 0: its own
     * @param most connections, before nobody listens here any more
     */
    ServerInDisguise(int server, int major, int most) {
        this.server = server;
        this.major = major;
        this.most = most;
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

    private void accept() {
        try {
            for (int i = 0; i < most; i++) {
                Socket client = listener.accept();
                if (i + 1 == most) {
                    close();
                }
                Socket to = new Socket(InetAddress.getLoopbackAddress(), server);
                Thread.ofVirtual().start(() -> pump(client, to, false));
                Thread.ofVirtual().start(() -> pump(to, client, true));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void pump(Socket from, Socket to, boolean answers) {
        byte[] buffer = new byte[16 << 10];
        try (from;
                to;
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                if (answers && major > 0) {
                    disguise(buffer, length);
                }
                out.write(buffer, 0, length);
            }
        } catch (IOException e) {
            // one of them has gone
        }
    }

    private void disguise(byte[] buffer, int length) {
        int at = new String(buffer, 0, length, StandardCharsets.ISO_8859_1).indexOf(VERSION);
        if (at >= 0) {
            byte[] told = Integer.toString(major).getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(told, 0, buffer, at + VERSION.length(), told.length);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
