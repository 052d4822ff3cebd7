package dev.eden.proxy.postgres;

import dev.eden.proxy.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A client that sends exactly what a test says, byte by byte if it must. */
public final class PgWire implements AutoCloseable {
    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private ByteBuf pending = Unpooled.buffer();
    public final Map<String, String> parameters = new LinkedHashMap<>();
    public final List<String> negotiated = new ArrayList<>();
    public int pid;
    public byte[] secret = new byte[0];

    /** A message of the other side. */
    public record Frame(char type, byte[] body) {
        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        public char status() {
            return (char) body[0];
        }

        public String sqlState() {
            for (String field : text().split("\0")) {
                if (field.startsWith("C")) {
                    return field.substring(1);
                }
            }
            return "";
        }

        @Override
        public String toString() {
            return type + " " + text().replace('\0', '|');
        }
    }

    public PgWire(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(60_000);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** Sends eight bytes with this code; answers the one byte that comes back. */
    public char ask(int code) throws IOException {
        send(Unpooled.buffer().writeInt(8).writeInt(code));
        return (char) in.readByte();
    }

    public void startup(int version, Map<String, String> said) throws IOException {
        ByteBuf message = Unpooled.buffer().writeInt(0).writeInt(version);
        said.forEach((name, value) -> {
            Message.string(message, name);
            Message.string(message, value);
        });
        message.writeByte(0);
        message.setInt(0, message.readableBytes());
        send(message);
    }

    /** Logs in and reads to the first ReadyForQuery. */
    public PgWire login(int version, String user, String password, String... more) throws IOException {
        Map<String, String> said = new LinkedHashMap<>();
        said.put("user", user);
        said.put("database", "eden");
        for (int i = 0; i < more.length; i += 2) {
            said.put(more[i], more[i + 1]);
        }
        startup(version, said);
        Scram.Client scram = new Scram.Client(new Credential.Password(new Secret(password)), Scram.Choice.UNBOUND);
        for (Frame frame = read(); ; frame = read()) {
            switch (frame.type()) {
                case 'R' -> answer(frame, scram);
                case 'S' -> {
                    String[] parts = frame.text().split("\0", -1);
                    parameters.put(parts[0], parts[1]);
                }
                case 'K' -> {
                    ByteBuf body = Unpooled.wrappedBuffer(frame.body());
                    pid = body.readInt();
                    secret = ByteBufUtil.getBytes(body);
                }
                case 'v' ->
                    negotiated.add(ByteBufUtil.hexDump(frame.body(), 0, 4)
                            + new String(frame.body(), 8, frame.body().length - 8, StandardCharsets.UTF_8)
                                    .replace('\0', ','));
                case 'Z' -> {
                    return this;
                }
                default -> throw new IOException(frame.toString());
            }
        }
    }

    private void answer(Frame frame, Scram.Client scram) throws IOException {
        ByteBuf body = Unpooled.wrappedBuffer(frame.body());
        String rest = new String(frame.body(), 4, frame.body().length - 4, StandardCharsets.UTF_8);
        switch (body.readInt()) {
            case 10 -> {
                ByteBuf message = Unpooled.buffer();
                byte[] first = scram.first().getBytes(StandardCharsets.UTF_8);
                int at = Message.begin(message, 'p');
                Message.string(message, Scram.MECHANISM);
                message.writeInt(first.length).writeBytes(first);
                Message.end(message, at);
                send(message);
            }
            case 11 ->
                add('p', last(scram, rest).getBytes(StandardCharsets.UTF_8)).send();
            case 12 -> scram.verify(rest);
            default -> {
                // accepted
            }
        }
    }

    static String last(Scram.Client scram, String serverFirst) {
        Scram.Salting asked = scram.salting(serverFirst);
        return scram.last(serverFirst, asked == null ? null : asked.derive());
    }

    // ---- requests; collected until send()

    public PgWire add(char type, byte[] body) {
        pending.writeByte(type).writeInt(4 + body.length).writeBytes(body);
        return this;
    }

    private static byte[] strings(String... parts) {
        return (String.join("\0", parts) + "\0").getBytes(StandardCharsets.UTF_8);
    }

    public PgWire query(String sql) {
        return add('Q', strings(sql));
    }

    public PgWire parse(String name, String sql) {
        return add(
                'P',
                ByteBufUtil.getBytes(
                        Unpooled.buffer().writeBytes(strings(name, sql)).writeShort(0)));
    }

    public PgWire bind(String portal, String name, String... values) {
        return bind(portal, name, false, values);
    }

    /** The result's columns in binary form. */
    public PgWire bindBinary(String portal, String name, String... values) {
        return bind(portal, name, true, values);
    }

    private PgWire bind(String portal, String name, boolean binary, String... values) {
        ByteBuf body = Unpooled.buffer()
                .writeBytes(strings(portal, name))
                .writeShort(0)
                .writeShort(values.length);
        for (String value : values) {
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            body.writeInt(bytes.length).writeBytes(bytes);
        }
        if (binary) {
            body.writeShort(1).writeShort(1);
        } else {
            body.writeShort(0);
        }
        return add('B', ByteBufUtil.getBytes(body));
    }

    public PgWire describe(char kind, String name) {
        return add('D', strings(kind + name));
    }

    public PgWire execute(String portal, int rows) {
        return add(
                'E',
                ByteBufUtil.getBytes(
                        Unpooled.buffer().writeBytes(strings(portal)).writeInt(rows)));
    }

    public PgWire closeStatement(String name) {
        return add('C', strings("S" + name));
    }

    public PgWire sync() {
        return add('S', new byte[0]);
    }

    public PgWire flush() {
        return add('H', new byte[0]);
    }

    public void send() throws IOException {
        ByteBuf bytes = pending;
        pending = Unpooled.buffer();
        send(bytes);
    }

    public byte[] take() {
        byte[] bytes = ByteBufUtil.getBytes(pending);
        pending = Unpooled.buffer();
        return bytes;
    }

    public void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    private void send(ByteBuf bytes) throws IOException {
        send(ByteBufUtil.getBytes(bytes));
    }

    // ---- answers

    public Frame read() throws IOException {
        char type = (char) in.readByte();
        byte[] body = new byte[in.readInt() - 4];
        in.readFully(body);
        return new Frame(type, body);
    }

    /** The types of what comes, up to and including {@code count} ReadyForQuery; an error with its SQLSTATE, a row with its first column. */
    public String answers(int count) throws IOException {
        StringBuilder types = new StringBuilder();
        for (int left = count; left > 0; ) {
            Frame frame = read();
            if (frame.type() == 'S') {
                String[] parts = frame.text().split("\0", -1);
                parameters.put(parts[0], parts[1]);
                continue;
            }
            if (!types.isEmpty()) {
                types.append(' ');
            }
            types.append(frame.type());
            switch (frame.type()) {
                case 'E' -> types.append(frame.sqlState());
                case 'Z' -> {
                    types.append(frame.status());
                    left--;
                }
                case 'D' -> {
                    int length = Unpooled.wrappedBuffer(frame.body()).getInt(2);
                    types.append(length < 0 ? "null" : new String(frame.body(), 6, length, StandardCharsets.UTF_8));
                }
                default -> {
                    // the type says it
                }
            }
        }
        return types.toString();
    }

    /** True where something can be read at once. */
    public boolean answered() throws IOException {
        return in.available() > 0;
    }

    /** True once the other side has closed. */
    public boolean ended() throws IOException {
        try {
            while (true) {
                read();
            }
        } catch (EOFException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
