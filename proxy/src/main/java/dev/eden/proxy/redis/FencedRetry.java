package dev.eden.proxy.redis;

import dev.eden.proxy.Failpoints;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * The first request of a client after a flip. Should the fence of the server that has just become active still be up, its refusal proves that the
 * request did not run: it is kept and sent again, for two seconds at most.
 */
final class FencedRetry implements ReplyTarget {
    static final long PATIENCE = TimeUnit.SECONDS.toNanos(2);

    private final ClientConnection client;
    private final BackendConnection connection;
    private final ByteBuf request;
    private final long sent;

    /** {@code request} is a reference of its own. */
    FencedRetry(ClientConnection client, BackendConnection connection, ByteBuf request) {
        this.client = client;
        this.connection = connection;
        this.request = request;
        this.sent = client.loop.now;
    }

    @Override
    public void reply(ByteBuf frame) {
        boolean refused = frame.readableBytes() > 7
                && frame.toString(frame.readerIndex(), 7, StandardCharsets.US_ASCII)
                        .equals("-NOPERM");
        if (refused && !client.isClosed() && System.nanoTime() - client.loop.gate.openedAt < PATIENCE) {
            frame.release();
            client.loop.counters.fencedRetries++;
            client.pauseForAnswer();
            client.finished();
            client.loop.eventLoop.schedule(
                    () -> {
                        if (client.isClosed()) {
                            request.release();
                        } else {
                            client.again(request);
                            client.resume();
                        }
                    },
                    5,
                    TimeUnit.MILLISECONDS);
            return;
        }
        request.release();
        client.session.crossing.pastFence();
        client.session.count(connection, sent, client.loop.now, frame.getByte(frame.readerIndex()));
        client.session.deliver(frame);
    }

    @Override
    public void lost() {
        if (Failpoints.mutant("in-doubt-retried") && !client.isClosed()) {
            client.prepend(request);
            client.finished();
            client.loop.wake(client);
            return;
        }
        request.release();
        client.lost();
    }
}
