package dev.eden.proxy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** Ends the TLS of who logs in to a PostgreSQL and speaks to the server anew, as a balancer does, or who listens in. */
final class TlsInBetween implements AutoCloseable {
    private static final int SSL_REQUEST = 80877103;

    private final SSLContext shown;
    private final @Nullable SSLContext onward;
    private final int server;
    private final ServerSocket listening;

    /** {@code onward}: null: plain to the server. */
    TlsInBetween(SSLContext shown, int server, @Nullable SSLContext onward) throws IOException {
        this.shown = shown;
        this.server = server;
        this.onward = onward;
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            while (!listening.isClosed()) {
                try {
                    Socket client = listening.accept();
                    Thread.ofVirtual().start(() -> carry(client));
                } catch (IOException _) {
                    // closed
                }
            }
        });
    }

    int port() {
        return listening.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }

    private void carry(Socket accepted) {
        try (accepted;
                Socket connected = new Socket(InetAddress.getLoopbackAddress(), server)) {
            DataInputStream asked = new DataInputStream(accepted.getInputStream());
            if (asked.readInt() != 8 || asked.readInt() != SSL_REQUEST) {
                return;
            }
            accepted.getOutputStream().write('S');
            SSLSocket client = (SSLSocket) shown.getSocketFactory().createSocket(accepted, null, true);
            client.setUseClientMode(false);
            Socket there = connected;
            SSLContext context = onward;
            if (context != null) {
                DataOutputStream out = new DataOutputStream(connected.getOutputStream());
                out.writeInt(8);
                out.writeInt(SSL_REQUEST);
                if (connected.getInputStream().read() != 'S') {
                    return;
                }
                there = context.getSocketFactory().createSocket(connected, "localhost", server, true);
            }
            Socket other = there;
            Thread.ofVirtual().start(() -> pass(client, other));
            pass(other, client);
        } catch (IOException _) {
            // one of the two has hung up: so does the other
        }
    }

    private static void pass(Socket from, Socket to) {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException _) {
            // one of the two has hung up: so does the other
        }
    }
}
