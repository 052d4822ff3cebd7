package dev.eden.proxy.redis;

import io.netty.buffer.ByteBuf;

/**
 * Who waits for one reply on a backend connection. {@link ClientConnection} gets its bytes as they arrive; every other target gets the
 * whole reply. All calls come on the connection's event loop.
 */
interface ReplyTarget {
    /** The whole reply; takes over the reference. */
    void reply(ByteBuf frame);

    /** The connection ended before the whole reply had come. The request may have run. */
    void lost();
}
