package dev.eden.proxy.redis;

import io.netty.buffer.ByteBuf;

/** A reply the client has had already. */
record Swallow(ClientConnection client) implements ReplyTarget {
    @Override
    public void reply(ByteBuf frame) {
        frame.release();
        client.finished();
    }

    @Override
    public void lost() {
        client.lost();
    }
}
