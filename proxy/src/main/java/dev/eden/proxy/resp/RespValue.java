package dev.eden.proxy.resp;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A whole reply as a tree, for the few replies that the proxy reads itself (handshakes, {@code COMMAND}, {@code INFO}, subscription
 * confirmations). Client traffic never becomes one of these.
 */
public sealed interface RespValue {

    /** {@code +}, {@code (}, {@code ,}, {@code #}: the text as sent. */
    record Line(String text) implements RespValue {}

    /** {@code -} or {@code !}. */
    record Failure(String message) implements RespValue {}

    /** {@code :}. */
    record Int(long value) implements RespValue {}

    /** {@code $} and {@code =}. */
    record Bulk(byte[] bytes) implements RespValue {
        @Override
        public boolean equals(Object other) {
            return other instanceof Bulk that && Arrays.equals(bytes, that.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }

        @Override
        public String toString() {
            return "Bulk[" + bytes.length + " bytes]";
        }
    }

    /** {@code *}, {@code ~}, {@code >} and {@code %} (keys and values in turn). */
    record Sequence(@Override List<RespValue> items) implements RespValue {}

    /** {@code $-1}, {@code *-1}, {@code _}. */
    record Null() implements RespValue {}

    /** Text of a line, bulk, number or failure; empty for null and sequences. */
    default String text() {
        return switch (this) {
            case Line line -> line.text();
            case Failure failure -> failure.message();
            case Int number -> Long.toString(number.value());
            case Bulk bulk -> new String(bulk.bytes(), StandardCharsets.UTF_8);
            case Sequence _, Null _ -> "";
        };
    }

    /** The items of a sequence; none for everything else. */
    default List<RespValue> items() {
        return List.of();
    }

    /**
     * Reads one whole value and moves the reader index past it. The caller knows that it is whole ({@link ReplyScanner}).
     * Attributes ({@code |}) are skipped.
     */
    static RespValue read(ByteBuf in) {
        byte type = in.readByte();
        return switch (type) {
            case '+', '(', ',', '#' -> new Line(line(in));
            case '-' -> new Failure(line(in));
            case ':' -> new Int(Long.parseLong(line(in)));
            case '_' -> {
                line(in);
                yield new Null();
            }
            case '$', '=', '!' -> {
                byte[] bytes = bulk(in);
                if (bytes == null) {
                    yield new Null();
                }
                yield type == '!' ? new Failure(new String(bytes, StandardCharsets.UTF_8)) : new Bulk(bytes);
            }
            case '*', '~', '>' -> sequence(in, 1);
            case '%' -> sequence(in, 2);
            case '|' -> {
                sequence(in, 2);
                yield read(in);
            }
            default -> throw new ProtocolError("unexpected reply type byte " + type);
        };
    }

    private static RespValue sequence(ByteBuf in, int perEntry) {
        int count = Integer.parseInt(line(in));
        if (count < 0) {
            return new Null();
        }
        List<RespValue> items = new ArrayList<>(Math.min(count * perEntry, 1024));
        for (int i = 0; i < count * perEntry; i++) {
            items.add(read(in));
        }
        return new Sequence(items);
    }

    private static byte @Nullable [] bulk(ByteBuf in) {
        int length = Integer.parseInt(line(in));
        if (length < 0) {
            return null;
        }
        byte[] bytes = new byte[length];
        in.readBytes(bytes);
        in.skipBytes(2);
        return bytes;
    }

    private static String line(ByteBuf in) {
        int end = in.indexOf(in.readerIndex(), in.writerIndex(), (byte) '\r');
        if (end < 0) {
            throw new ProtocolError("reply line without end");
        }
        String text = in.toString(in.readerIndex(), end - in.readerIndex(), StandardCharsets.UTF_8);
        in.readerIndex(end + 2);
        return text;
    }
}
