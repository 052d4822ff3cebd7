package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Everything a client says to have one statement run by itself: a simple query, or Bind, Describe, Execute and Sync, with an unnamed Parse before
 * them where it wants. Only such a batch can be sent to either side, and again.
 *
 * @param bindFrom where Bind goes on after the names, with {@code bindTo}; -1: it is a simple query
 * @param length in bytes, from the message at hand
 * @param textFrom where its text begins, with {@code textTo}; -1: it is that of {@code statement}
 */
record ReadBatch(
        int length, int textFrom, int textTo, @Nullable Prepared statement, int bindFrom, int bindTo) {
    private static final int LONGEST_PARAMETER = 40;
    /** Above this a client's request is not kept for a second try. */
    private static final int LONGEST = 1 << 16;

    private static final ReadBatch OTHER = new ReadBatch(0, -1, -1, null, -1, -1);

    /** False: the messages are something else, or not all there yet. */
    boolean complete() {
        return length > 0;
    }

    /** What stands at {@code start}. */
    static ReadBatch at(ByteBuf in, int start, ClientStatements statements) {
        int limit = in.writerIndex();
        int total = total(in, start, limit);
        if (total == 0) {
            return OTHER;
        }
        if (in.getByte(start) == 'Q') {
            return new ReadBatch(total, start + Message.HEADER, start + total, null, -1, -1);
        }
        try {
            return extended(in, start, total, limit, statements);
        } catch (IndexOutOfBoundsException e) {
            return OTHER; // malformed: the server has words for it
        }
    }

    private static ReadBatch extended(ByteBuf in, int start, int first, int limit, ClientStatements statements) {
        int total = first;
        int at = start;
        int from = -1;
        int to = -1;
        Prepared statement = null;
        if (in.getByte(at) == 'P') {
            if (in.getByte(at + Message.HEADER) != 0) {
                return OTHER;
            }
            from = at + Message.HEADER + 1;
            to = at + total;
            at += total;
            total = total(in, at, limit);
        }
        if (total == 0 || in.getByte(at) != 'B' || in.getByte(at + Message.HEADER) != 0) {
            return OTHER;
        }
        int name = at + Message.HEADER + 1;
        int nameEnd = Message.endOfString(in, name, at + total);
        if (nameEnd < 0 || from >= 0 && nameEnd > name || clock(in, nameEnd + 1, at + total)) {
            return OTHER;
        }
        if (from < 0) {
            if (nameEnd == name) {
                statement = statements.unnamed();
            } else {
                ClientStatements.Entry entry = statements.find(in, name, nameEnd);
                statement = entry == null || !entry.confirmed() ? null : entry.statement();
            }
            if (statement == null) {
                return OTHER;
            }
        }
        int bindTo = at + total;
        at += total;
        total = total(in, at, limit);
        if (total > 0 && in.getByte(at) == 'D') {
            at += total;
            total = total(in, at, limit);
        }
        boolean execute = total == Message.HEADER + 5
                && in.getByte(at) == 'E'
                && in.getByte(at + Message.HEADER) == 0
                && in.getInt(at + Message.HEADER + 1) == 0;
        if (!execute) {
            return OTHER;
        }
        at += total;
        total = total(in, at, limit);
        if (total == 0 || in.getByte(at) != 'S') {
            return OTHER;
        }
        return new ReadBatch(at + total - start, from, to, statement, nameEnd + 1, bindTo);
    }

    /** The same request, from {@code start}, with everything that it needs. */
    byte[] alone(ByteBuf in, int start) {
        ByteBuf out = Unpooled.buffer(length + 64);
        if (bindFrom < 0) {
            out.writeBytes(in, start, length);
        } else {
            Prepared known = statement;
            int parse = Message.begin(out, 'P');
            out.writeByte(0);
            if (known == null) {
                out.writeBytes(in, textFrom, textTo - textFrom);
            } else {
                out.writeBytes(known.body);
            }
            Message.end(out, parse);
            int bind = Message.begin(out, 'B');
            out.writeByte(0).writeByte(0).writeBytes(in, bindFrom, bindTo - bindFrom);
            Message.end(out, bind);
            int execute = Message.begin(out, 'E');
            out.writeByte(0).writeInt(0);
            Message.end(out, execute);
            Message.empty(out, 'S');
        }
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    /** The length of the whole message at {@code at}; 0: it is not all there, or too long. */
    private static int total(ByteBuf in, int at, int limit) {
        if (limit - at < Message.HEADER) {
            return 0;
        }
        int total = in.getInt(at + 1) + 1;
        return total < Message.HEADER || total > LONGEST || total > limit - at ? 0 : total;
    }

    /** True where a parameter in text could mean a clock's moment, or the message is not understood. */
    private static boolean clock(ByteBuf in, int from, int limit) {
        int at = from;
        int formats = in.getUnsignedShort(at);
        int formatsAt = at + 2;
        at = formatsAt + 2 * formats;
        int parameters = in.getUnsignedShort(at);
        at += 2;
        for (int i = 0; i < parameters; i++) {
            int length = in.getInt(at);
            at += 4;
            if (length > limit - at) {
                return true;
            }
            boolean text =
                    formats == 0 || in.getShort(formatsAt + 2 * (formats == 1 ? 0 : Math.min(i, formats - 1))) == 0;
            if (text
                    && length >= 3
                    && length <= LONGEST_PARAMETER
                    && ReadText.clock(in.toString(at, length, StandardCharsets.UTF_8))) {
                return true;
            }
            at += Math.max(0, length);
        }
        return false;
    }
}
