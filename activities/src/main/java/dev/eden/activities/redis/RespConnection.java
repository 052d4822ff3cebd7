package dev.eden.activities.redis;

import dev.eden.activities.store.ConnectFailure;
import dev.eden.activities.store.Endpoint;
import dev.eden.proxy.Backend;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * A blocking RESP2 connection: one thread at a time, pipelining by {@link #send} … {@link #flush} … {@link #read}. Meant for
 * virtual threads. A read that times out or fails leaves the connection unusable; close it. It never reconnects by itself: the
 * cutover protocol relies on a session that, once killed at the server, stays dead.
 */
public final class RespConnection implements AutoCloseable {
    private static final int BUFFER = 1 << 16;
    private static final byte[] CRLF = {'\r', '\n'};

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final String peer;

    private RespConnection(Socket socket, String peer) throws IOException {
        this.socket = socket;
        this.peer = peer;
        this.in = new BufferedInputStream(socket.getInputStream(), BUFFER);
        this.out = new BufferedOutputStream(socket.getOutputStream(), BUFFER);
    }

    /** Connects to the endpoint with its own login. */
    public static RespConnection connect(Endpoint endpoint, String clientName, Duration timeout) {
        return connect(endpoint, endpoint.login(), clientName, timeout);
    }

    /**
     * Connects, logs in (when {@code login} is not null) and names the connection; {@code timeout} bounds the connect and every later
     * read until {@link #timeout} changes it. Throws {@link RedisConnectionException} or, for a refused login, {@link RedisException}.
     */
    public static RespConnection connect(
            Endpoint endpoint, Backend.@Nullable Login login, String clientName, Duration timeout) {
        Socket socket = new Socket();
        try {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            socket.connect(
                    new InetSocketAddress(endpoint.host(), endpoint.port()), Math.toIntExact(timeout.toMillis()));
            socket.setSoTimeout(Math.toIntExact(timeout.toMillis()));
            if (endpoint.tls()) {
                socket = tls(socket, endpoint);
            }
            RespConnection connection = new RespConnection(socket, endpoint.id());
            if (login != null) {
                connection.call("AUTH", login.user(), login.password().reveal());
            }
            connection.call("CLIENT", "SETNAME", clientName);
            return connection;
        } catch (IOException e) {
            closeQuietly(socket);
            // The cause may name the host, and is written wherever the message is.
            throw new RedisConnectionException(
                    "endpoint " + endpoint.id() + " can't be reached: " + ConnectFailure.why(endpoint, e), null);
        } catch (RuntimeException e) {
            closeQuietly(socket);
            throw e;
        }
    }

    private static Socket tls(Socket plain, Endpoint endpoint) throws IOException {
        SSLSocket socket = (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault())
                .createSocket(plain, endpoint.host(), endpoint.port(), true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** Bounds every later read; zero waits for ever. */
    public void timeout(Duration timeout) {
        try {
            socket.setSoTimeout(Math.toIntExact(timeout.toMillis()));
        } catch (IOException e) {
            throw new RedisConnectionException(peer + ": " + e.getMessage(), e);
        }
    }

    /** Sends one command and reads its reply; an error reply is thrown as {@link RedisException}. Arguments: String, byte[], or a number. */
    public Reply call(Object... arguments) {
        Reply reply = ask(arguments);
        if (reply instanceof Reply.Error error) {
            throw new RedisException(error.message());
        }
        return reply;
    }

    /** Like {@link #call}, but an error reply is returned. */
    public Reply ask(Object... arguments) {
        send(arguments);
        flush();
        return read();
    }

    /** Buffers one command. */
    public void send(Object... arguments) {
        try {
            header('*', arguments.length);
            for (Object argument : arguments) {
                byte[] bytes = switch (argument) {
                    case byte[] raw -> raw;
                    case String text -> text.getBytes(StandardCharsets.UTF_8);
                    case Number number -> number.toString().getBytes(StandardCharsets.US_ASCII);
                    default ->
                        throw new IllegalArgumentException(
                                "cannot send a " + argument.getClass().getName());
                };
                header('$', bytes.length);
                out.write(bytes);
                out.write(CRLF);
            }
        } catch (IOException e) {
            throw broken(e);
        }
    }

    public void flush() {
        try {
            out.flush();
        } catch (IOException e) {
            throw broken(e);
        }
    }

    /** Reads one reply, errors included; blocks up to the timeout. */
    public Reply read() {
        try {
            return readReply();
        } catch (IOException e) {
            throw broken(e);
        }
    }

    /** Reads {@code count} replies. */
    public List<Reply> read(int count) {
        List<Reply> replies = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            replies.add(read());
        }
        return replies;
    }

    /** The raw stream behind {@link #read}, for the replication link; same thread rules. */
    public InputStream input() {
        return in;
    }

    /** The raw buffered stream behind {@link #send}; call {@link #flush} afterwards. */
    public OutputStream output() {
        return out;
    }

    /** {@code CLIENT ID} of this session. */
    public long clientId() {
        return call("CLIENT", "ID").number();
    }

    /** The endpoint's id. */
    public String peer() {
        return peer;
    }

    /** Closes the socket; callable from any thread, ends a blocked read. */
    @Override
    public void close() {
        closeQuietly(socket);
    }

    private void header(char type, int value) throws IOException {
        out.write(type);
        out.write(Integer.toString(value).getBytes(StandardCharsets.US_ASCII));
        out.write(CRLF);
    }

    private Reply readReply() throws IOException {
        int type = in.read();
        if (type < 0) {
            throw new EOFException("closed by the server");
        }
        String line = readLine();
        return switch (type) {
            case '+' -> new Reply.Simple(line);
            case '-' -> new Reply.Error(line);
            case ':' -> new Reply.Int(Long.parseLong(line));
            case '$' -> {
                int length = Integer.parseInt(line);
                if (length < 0) {
                    yield Reply.NULL;
                }
                byte[] bytes = in.readNBytes(length);
                if (bytes.length < length || in.read() != '\r' || in.read() != '\n') {
                    throw new EOFException("closed within a reply");
                }
                yield new Reply.Bulk(bytes);
            }
            case '*' -> {
                int length = Integer.parseInt(line);
                if (length < 0) {
                    yield Reply.NULL;
                }
                List<Reply> items = new ArrayList<>(Math.min(length, 1 << 16));
                for (int i = 0; i < length; i++) {
                    items.add(readReply());
                }
                yield new Reply.Array(items);
            }
            default -> throw new IOException("not a RESP2 reply: byte " + type);
        };
    }

    private String readLine() throws IOException {
        StringBuilder line = new StringBuilder(32);
        while (true) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException("closed within a reply");
            }
            if (b == '\r') {
                if (in.read() != '\n') {
                    throw new IOException("CR without LF in a reply");
                }
                return line.toString();
            }
            line.append((char) b);
        }
    }

    private RedisConnectionException broken(IOException e) {
        return new RedisConnectionException("connection to " + peer + " broke: " + e.getMessage(), e);
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException ignored) {
            // Nothing can be done for a socket that does not close; it is not used any more.
        }
    }
}
