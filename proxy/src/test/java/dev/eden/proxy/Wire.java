package dev.eden.proxy;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A client that shows exactly what came over the wire: every reply as one short text. */
public final class Wire implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;

    public Wire(int port) throws IOException {
        this(new Socket("127.0.0.1", port));
    }

    public Wire(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(10_000);
        in = new BufferedInputStream(socket.getInputStream());
    }

    public Socket socket() {
        return socket;
    }

    /** Sends one command and answers its reply. */
    public String call(String... arguments) throws IOException {
        send(arguments);
        return read();
    }

    public void send(String... arguments) throws IOException {
        raw(encode(arguments));
    }

    public void raw(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    public static byte[] encode(String... arguments) {
        StringBuilder out = new StringBuilder("*").append(arguments.length).append("\r\n");
        for (String argument : arguments) {
            out.append('$')
                    .append(argument.getBytes(StandardCharsets.UTF_8).length)
                    .append("\r\n")
                    .append(argument)
                    .append("\r\n");
        }
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** {@code +OK}, {@code -ERR …}, {@code :1}, {@code text}, {@code (nil)}, {@code [a, b]}, {@code >[push]}. */
    public String read() throws IOException {
        String line = line();
        char type = line.charAt(0);
        String rest = line.substring(1);
        switch (type) {
            case '$', '=':
                int length = Integer.parseInt(rest);
                if (length < 0) {
                    return "(nil)";
                }
                byte[] bytes = in.readNBytes(length);
                in.readNBytes(2);
                return new String(bytes, StandardCharsets.UTF_8);
            case '_':
                return "(nil)";
            case '*', '~', '>', '%':
                int count = Integer.parseInt(rest) * (type == '%' ? 2 : 1);
                if (count < 0) {
                    return "(nil)";
                }
                List<String> items = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    items.add(read());
                }
                return (type == '>' ? ">" : "") + items;
            default:
                return line;
        }
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("closed by the proxy");
            }
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }

    /** True when there is something to {@link #read}. */
    public boolean ready() throws IOException {
        return in.available() > 0;
    }

    /** True when nothing comes for this long. */
    public boolean silent(Duration time) throws IOException {
        socket.setSoTimeout((int) time.toMillis());
        try {
            in.mark(1);
            int b = in.read();
            in.reset();
            return b < 0;
        } catch (java.net.SocketTimeoutException e) {
            return true;
        } finally {
            socket.setSoTimeout(10_000);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
