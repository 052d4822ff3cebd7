package dev.eden.proxy.redis;

import dev.eden.proxy.resp.ReplyScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** What is not the server's to say in the reply to one {@code EXEC}: cursors, and the client's own number. */
final class ExecReply {
    private record Part(int at, UnaryOperator<ByteBuf> said) {}

    private final List<Part> parts = new ArrayList<>();

    /** The element at {@code at} goes to the client as {@code said} makes it; later ones come later. Takes over its reference. */
    void add(int at, UnaryOperator<ByteBuf> said) {
        parts.add(new Part(at, said));
    }

    /** The reply as the client gets it; an error or a null as it is. Takes over the reference. */
    ByteBuf said(ByteBuf frame) {
        int start = frame.readerIndex();
        int end = frame.writerIndex();
        if (frame.getByte(start) != '*') {
            return frame;
        }
        CompositeByteBuf all = frame.alloc().compositeBuffer(2 * parts.size() + 2);
        ReplyScanner scanner = new ReplyScanner();
        int passed = start;
        int at = frame.indexOf(start, end, (byte) '\n') + 1;
        int element = 0;
        for (Part part : parts) {
            while (element < part.at && at < end) {
                at = scanner.scan(frame, at, end);
                element++;
            }
            if (at == end) {
                break;
            }
            int from = at;
            at = scanner.scan(frame, at, end);
            element++;
            all.addComponent(true, frame.retainedSlice(passed, from - passed));
            all.addComponent(true, part.said.apply(frame.retainedSlice(from, at - from)));
            passed = at;
        }
        all.addComponent(true, frame.retainedSlice(passed, end - passed));
        frame.release();
        return all;
    }
}
