package dev.eden.proxy.resp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes requests and the few replies that the proxy gives itself. */
public final class RespWriter {
    private static final byte[] CRLF = {'\r', '\n'};

    private RespWriter() {}

    /** A request of text arguments. */
    public static void command(ByteBuf out, String... arguments) {
        header(out, '*', arguments.length);
        for (String argument : arguments) {
            bulk(out, argument.getBytes(StandardCharsets.UTF_8));
        }
    }

    public static void command(ByteBuf out, List<byte[]> arguments) {
        header(out, '*', arguments.size());
        for (byte[] argument : arguments) {
            bulk(out, argument);
        }
    }

    public static void bulk(ByteBuf out, byte[] bytes) {
        header(out, '$', bytes.length);
        out.writeBytes(bytes);
        out.writeBytes(CRLF);
    }

    /** A type byte, a number and the line end. */
    public static void header(ByteBuf out, char type, long number) {
        out.writeByte(type);
        ByteBufUtil.writeAscii(out, Long.toString(number));
        out.writeBytes(CRLF);
    }

    /** {@code -message}, line ends taken out. */
    public static void error(ByteBuf out, String message) {
        out.writeByte('-');
        out.writeCharSequence(message.replace('\r', ' ').replace('\n', ' '), StandardCharsets.UTF_8);
        out.writeBytes(CRLF);
    }

    public static void simple(ByteBuf out, String text) {
        out.writeByte('+');
        ByteBufUtil.writeAscii(out, text);
        out.writeBytes(CRLF);
    }

    /** The null that a transaction broken by WATCH or a timed out blocking command gets. */
    public static void nullArray(ByteBuf out, int protocol) {
        ByteBufUtil.writeAscii(out, protocol == 3 ? "_\r\n" : "*-1\r\n");
    }

    public static void nullBulk(ByteBuf out, int protocol) {
        ByteBufUtil.writeAscii(out, protocol == 3 ? "_\r\n" : "$-1\r\n");
    }
}
