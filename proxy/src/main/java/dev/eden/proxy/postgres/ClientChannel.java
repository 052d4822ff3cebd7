package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;

/**
 * The client's end: what it is told goes out once per turn of the loop, and neither the client nor the server that serves it is read from faster than the
 * other takes.
 */
final class ClientChannel {
    private final ClientSession session;
    private final Channel channel;
    private boolean dirty;

    ClientChannel(ClientSession session, Channel channel) {
        this.session = session;
        this.channel = channel;
    }

    /** Bytes for the client; taken over. */
    void write(ByteBuf bytes) {
        channel.write(bytes, channel.voidPromise());
        if (!dirty) {
            dirty = true;
            session.loop.flushLater(this);
        }
        if (!channel.isWritable()) {
            ServerConnection holding = session.server();
            if (holding != null) {
                holding.read(false);
            }
        }
    }

    void flush() {
        dirty = false;
        channel.flush();
        ServerConnection holding = session.server();
        if (holding != null && channel.isWritable()) {
            holding.read(true);
        }
    }

    void writabilityChanged() {
        ServerConnection holding = session.server();
        if (holding != null) {
            holding.read(channel.isWritable());
        }
    }

    /** Reads from the client where {@code wanted}, and where its server takes what comes. */
    void read(boolean wanted) {
        ServerConnection holding = session.server();
        boolean full = holding != null && !holding.writable();
        boolean now = wanted && !full;
        if (channel.config().isAutoRead() != now) {
            channel.config().setAutoRead(now);
        }
    }

    /** True while the client reads what it is told: nothing more is made of what it sends before that. */
    boolean takes() {
        return channel.isWritable();
    }

    /** After everything that has been written. */
    void close() {
        session.loop.farewell(channel, Unpooled.EMPTY_BUFFER);
    }
}
