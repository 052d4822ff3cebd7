package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** How one client's bytes get to its server: as long slices of what need not be changed, with messages in between that are dropped or renamed. */
final class Passage {
    /** Where the slice begins that goes as it is; -1: none has begun. */
    private int from = -1;
    /** Bytes to come of a message whose head has been seen. */
    private int streaming;

    private boolean away;

    boolean streaming() {
        return streaming > 0;
    }

    /** A server has the head of a message and waits for the rest. */
    boolean sending() {
        return streaming > 0 && !away;
    }

    /** There is no server for the rest of the message at hand. */
    void lost() {
        away = true;
    }

    /** More of a message whose head has been seen; false: nothing there. */
    boolean stream(ByteBuf bytes) {
        int part = Math.min(streaming, bytes.readableBytes());
        if (!away && from < 0) {
            from = bytes.readerIndex();
        }
        bytes.skipBytes(part);
        streaming -= part;
        return part > 0;
    }

    /** The message at hand goes as it is. */
    void pass(ByteBuf bytes, int total, int readable) {
        if (from < 0) {
            from = bytes.readerIndex();
        }
        if (total <= readable) {
            bytes.skipBytes(total);
        } else {
            bytes.skipBytes(readable);
            streaming = total - readable;
            away = false;
        }
    }

    /** The message at hand goes nowhere. */
    void drop(ByteBuf bytes, int total, int readable, @Nullable ServerConnection server) {
        end(bytes, server);
        int part = Math.min(total, readable);
        bytes.skipBytes(part);
        streaming = total - part;
        away = true;
    }

    /** Sends what has been passed over since the last message that was changed. */
    void end(ByteBuf bytes, @Nullable ServerConnection server) {
        int begun = from;
        from = -1;
        int to = bytes.readerIndex();
        if (begun >= 0 && to > begun && server != null) {
            server.write(bytes.retainedSlice(begun, to - begun));
        }
    }

    /**
     * Sends the message that begins at {@code start} with {@code name} in place of what ends at {@code nameEnd}; {@code before}: what stands in
     * front of the name. What follows it goes as it is.
     */
    void rename(
            ByteBuf bytes,
            int start,
            int nameEnd,
            int total,
            char type,
            byte[] before,
            byte[] name,
            ServerConnection server) {
        int rest = start + total - nameEnd;
        ByteBuf out = bytes.alloc().ioBuffer(128);
        out.writeByte(type)
                .writeInt(4 + before.length + name.length + rest)
                .writeBytes(before)
                .writeBytes(name);
        server.write(out);
        int readable = bytes.writerIndex() - start;
        bytes.readerIndex(nameEnd);
        from = nameEnd;
        if (total <= readable) {
            bytes.readerIndex(start + total);
        } else {
            bytes.readerIndex(bytes.writerIndex());
            streaming = total - readable;
            away = false;
        }
    }
}
