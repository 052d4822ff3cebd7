package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.ByteToMessageDecoder;
import org.jspecify.annotations.Nullable;

/** What a client has sent and nothing has been made of yet: one buffer, however it came in. Owns it. */
final class ClientInput {
    private @Nullable ByteBuf bytes;

    /** To read from; null: there is nothing. */
    @Nullable
    ByteBuf bytes() {
        return bytes;
    }

    int readable() {
        ByteBuf here = bytes;
        return here == null ? 0 : here.readableBytes();
    }

    /** More from the client; taken over. */
    void add(ByteBufAllocator allocator, ByteBuf more) {
        ByteBuf before = bytes;
        if (before == null) {
            bytes = more;
        } else if (before.isReadable()) {
            bytes = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(allocator, before, more);
        } else {
            before.release();
            bytes = more;
        }
    }

    /** The request stands before everything that has been read since; taken over. */
    void prepend(ByteBuf request) {
        ByteBuf rest = bytes;
        bytes = rest == null ? request : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(request.alloc(), request, rest);
    }

    /** Gives the buffer back where all of it has been read. */
    void dropRead() {
        ByteBuf here = bytes;
        if (here != null && !here.isReadable()) {
            bytes = null;
            here.release();
        }
    }

    void release() {
        ByteBuf here = bytes;
        if (here != null) {
            bytes = null;
            here.release();
        }
    }
}
