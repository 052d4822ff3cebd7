package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Cursors of SCAN and its kin mean something only to the server that gave them. Clients get them times 16 plus the active server's tag;
 * one with another tag starts again at 0 (SCAN may return an element more than once).
 */
final class ScanCursor implements ReplyTarget {
    private final ClientConnection client;
    private final BackendConnection connection;
    private final int tag;
    private final long started;

    ScanCursor(ClientConnection client, BackendConnection connection, int tag) {
        this.client = client;
        this.connection = connection;
        this.tag = tag;
        this.started = client.loop.now;
    }

    /** Puts the server's cursor into the arguments of a request. */
    static void untag(List<byte[]> arguments, int tag) {
        int position = Ascii.equalsIgnoreCase(arguments.getFirst(), "scan") ? 1 : 2;
        if (position >= arguments.size()) {
            return;
        }
        long cursor = Ascii.parseLong(arguments.get(position));
        if (cursor > 0) {
            arguments.set(position, Ascii.bytes(Long.toString(cursor % 16 == tag ? cursor / 16 : 0)));
        }
    }

    @Override
    public void reply(ByteBuf frame) {
        client.session.count(connection, started, client.loop.now, frame.getByte(frame.readerIndex()));
        client.output(tagged(frame, tag));
        client.finished();
    }

    /** {@code *2, $n, cursor, …} with the cursor replaced; any other frame as it is. */
    static ByteBuf tagged(ByteBuf frame, int tag) {
        int start = frame.readerIndex();
        if (frame.readableBytes() < 8 || frame.getByte(start) != '*' || frame.getByte(start + 4) != '$') {
            return frame;
        }
        int digits = frame.indexOf(start + 5, frame.writerIndex(), (byte) '\n') + 1;
        int end = frame.indexOf(digits, frame.writerIndex(), (byte) '\r');
        long cursor = Ascii.parseLong(
                frame.toString(digits, end - digits, StandardCharsets.US_ASCII).getBytes(StandardCharsets.US_ASCII));
        if (cursor <= 0) {
            return frame;
        }
        ByteBuf head = frame.alloc().ioBuffer(32);
        RespWriter.header(head, '*', 2);
        RespWriter.bulk(head, Ascii.bytes(Long.toString(cursor * 16 + tag)));
        frame.readerIndex(end + 2);
        return head.alloc().compositeBuffer(4).addComponent(true, head).addComponent(true, frame);
    }

    @Override
    public void lost() {
        client.lost();
    }
}
