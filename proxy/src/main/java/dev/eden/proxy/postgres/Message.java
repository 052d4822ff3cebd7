package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Message types of the frontend/backend protocol and writers for those that the proxy makes itself (PostgreSQL manual, "Frontend/Backend
 * Protocol", "Message Formats").
 */
final class Message {
    static final int PROTOCOL_3_0 = 196608;
    static final int PROTOCOL_3_2 = 196610;
    static final int CANCEL_REQUEST = 80877102;
    static final int SSL_REQUEST = 80877103;
    static final int GSSENC_REQUEST = 80877104;

    /** Of a startup packet, as the server's own MAX_STARTUP_PACKET_LENGTH. */
    static final int MAX_STARTUP = 10_000;

    /** Of any message, as the server's own PQ_LARGE_MESSAGE_LIMIT. */
    static final int MAX_LENGTH = 0x3fff_ffff;

    /** The type byte and the length. */
    static final int HEADER = 5;

    private Message() {}

    static void string(ByteBuf out, String value) {
        out.writeCharSequence(value, StandardCharsets.UTF_8);
        out.writeByte(0);
    }

    static void startup(ByteBuf out, Map<String, String> parameters) {
        int start = out.writerIndex();
        out.writeInt(0).writeInt(PROTOCOL_3_0);
        parameters.forEach((name, value) -> {
            string(out, name);
            string(out, value);
        });
        out.writeByte(0);
        out.setInt(start, out.writerIndex() - start);
    }

    /** Begins a message; {@link #end} with the answer of this completes it. */
    static int begin(ByteBuf out, char type) {
        out.writeByte(type);
        int at = out.writerIndex();
        out.writeInt(0);
        return at;
    }

    static void end(ByteBuf out, int at) {
        out.setInt(at, out.writerIndex() - at);
    }

    /** {@code encoding}: the session's. */
    static void query(ByteBuf out, String sql, @Nullable String encoding) {
        int at = begin(out, 'Q');
        Encoding.write(out, sql, encoding);
        end(out, at);
    }

    static void authentication(ByteBuf out, int code) {
        out.writeByte('R').writeInt(8).writeInt(code);
    }

    static void parameterStatus(ByteBuf out, String name, String value) {
        parameterStatus(out, name, value, Encoding.UTF8);
    }

    /** {@code encoding}: the client's. */
    static void parameterStatus(ByteBuf out, String name, String value, @Nullable String encoding) {
        int at = begin(out, 'S');
        string(out, name);
        Encoding.write(out, value, encoding);
        end(out, at);
    }

    static void backendKey(ByteBuf out, int pid, byte[] secret) {
        out.writeByte('K').writeInt(8 + secret.length).writeInt(pid).writeBytes(secret);
    }

    static void readyForQuery(ByteBuf out, int status) {
        out.writeByte('Z').writeInt(5).writeByte(status);
    }

    static void commandComplete(ByteBuf out, String tag) {
        int at = begin(out, 'C');
        string(out, tag);
        end(out, at);
    }

    /** A message without content: ParseComplete, CloseComplete, Sync … */
    static void empty(ByteBuf out, char type) {
        out.writeByte(type).writeInt(4);
    }

    static void password(ByteBuf out, String text) {
        int at = begin(out, 'p');
        string(out, text);
        end(out, at);
    }

    static void closeStatement(ByteBuf out, byte[] name) {
        int at = begin(out, 'C');
        out.writeByte('S').writeBytes(name).writeByte(0);
        end(out, at);
    }

    static void describeStatement(ByteBuf out, byte[] name) {
        int at = begin(out, 'D');
        out.writeByte('S').writeBytes(name).writeByte(0);
        end(out, at);
    }

    static String text(ByteBuf in, int from, int to) {
        return in.toString(from, to - from, StandardCharsets.UTF_8);
    }

    /** Where the string at {@code from} ends, or -1 when there is no end before {@code limit}. */
    static int endOfString(ByteBuf in, int from, int limit) {
        return from >= limit ? -1 : in.indexOf(from, limit, (byte) 0);
    }
}
