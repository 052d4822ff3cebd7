package dev.eden.proxy.redis;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client that takes its replies more slowly than they come. It is sent nothing more, what is on its way to it is kept up to a limit, and only then
 * does the server wait with it: others share the connection, and a hold waits for its end. So past the limit a client that takes nothing is closed, at
 * once where all wait for it.
 */
final class Congestion {
    private static final Logger LOGGER = LoggerFactory.getLogger(Congestion.class);

    /** Times what stops a client's requests; those on their way then may come to more. */
    static final int KEPT = 8;

    /** How long others wait for one that takes nothing. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(2);

    private final ClientConnection client;
    private final Channel channel;
    private final long limit;
    private final long stall;
    private @Nullable BackendConnection paused;
    private boolean congested;
    private long written;
    private long takenBefore;
    /** Which of the watches is in force. */
    private int watch;

    Congestion(ClientConnection client) {
        this.client = client;
        this.channel = client.channel;
        this.limit = (long) KEPT * client.loop.context.config.limits().outputBytes();
        this.stall = client.loop.context.config.limits().outputStall().toNanos();
    }

    /** So many bytes of output more. */
    void written(int bytes) {
        written += bytes;
        if (congested && paused == null) {
            settle();
        }
    }

    /** The channel takes more, or no more. */
    void changed() {
        congested = !channel.isWritable();
        if (congested) {
            watch(stall);
            settle();
        } else {
            watch++;
            unpause();
        }
    }

    /** All wait for the replies that are on their way. */
    void hold() {
        if (congested) {
            unpause();
            settle();
        }
    }

    private void settle() {
        BackendConnection source = client.current();
        boolean awaited = client.loop.gate.held() && client.inFlight() > 0;
        if (source != null && source.owner == client && !awaited) {
            pause(source);
        } else if (pending() > limit) {
            if (awaited) {
                close("closing a client that takes no replies: a hold waits for it");
            } else if (source != null) {
                pause(source);
                watch(Math.min(stall, PATIENCE));
            }
        }
    }

    private void pause(BackendConnection source) {
        if (paused == null) {
            paused = source;
            source.pause();
        }
    }

    private void unpause() {
        BackendConnection source = paused;
        paused = null;
        if (source != null) {
            source.unpause();
        }
    }

    private long pending() {
        ChannelOutboundBuffer pending = channel.unsafe().outboundBuffer();
        return pending == null ? 0 : pending.totalPendingWriteBytes();
    }

    private void watch(long patience) {
        takenBefore = written - pending();
        int mine = ++watch;
        client.loop.eventLoop.schedule(() -> look(mine, patience), patience, TimeUnit.NANOSECONDS);
    }

    private void look(int mine, long patience) {
        if (mine != watch || client.isClosed() || channel.isWritable()) {
            return;
        }
        if (written - pending() == takenBefore) {
            close("closing a client that takes no bytes");
        } else {
            watch(patience);
        }
    }

    private void close(String why) {
        client.loop.counters.slowClosed++;
        LOGGER.atInfo().addKeyValue("client", client.id).log(why);
        client.close();
    }

    /** The connection is not the client's any more: what it is sent comes over another, if at all. */
    void left(BackendConnection connection) {
        if (paused == connection) {
            unpause();
        }
    }

    /** The client is closed. */
    void end() {
        watch++;
        unpause();
    }
}
