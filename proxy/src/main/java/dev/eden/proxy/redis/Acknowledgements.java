package dev.eden.proxy.redis;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * With {@code ack: both}: a client's replies, in order, each kept until the standby has applied everything the active server had done when it came. As
 * long as one is {@linkplain #outstanding() outstanding}, nothing else of the client's may be answered past it.
 */
final class Acknowledgements {
    private record Kept(ByteBuf frame, long at) {}

    private final ClientConnection client;
    private final Deque<Kept> kept = new ArrayDeque<>();
    private int expected;
    private boolean polling;

    Acknowledgements(ClientConnection client) {
        this.client = client;
    }

    boolean outstanding() {
        return expected > 0 || !kept.isEmpty();
    }

    /** For the reply to one request that goes out now. */
    ReplyTarget next(BackendConnection connection) {
        expected++;
        return new Expected(connection, client.loop.now);
    }

    private final class Expected implements ReplyTarget {
        private final BackendConnection connection;
        private final long sent;

        Expected(BackendConnection connection, long sent) {
            this.connection = connection;
            this.sent = sent;
        }

        @Override
        public void reply(ByteBuf frame) {
            expected--;
            client.session.replied(connection, sent, client.loop.now, frame.getByte(frame.readerIndex()));
            keep(frame);
        }

        @Override
        public void lost() {
            expected--;
            client.lost();
        }
    }

    /** A reply that ends its request when it goes. Takes over the reference. */
    void keep(ByteBuf frame) {
        kept.add(new Kept(frame, System.nanoTime()));
        release();
    }

    private void release() {
        boolean still = true;
        while (!kept.isEmpty() && still) {
            Kept first = kept.element();
            still = client.isClosed()
                    || !client.loop.gate.acknowledgesBoth()
                    || client.loop.context.freshness().covers(first.at());
            if (still) {
                kept.remove();
                client.output(first.frame());
                client.finished();
            }
        }
        if (!kept.isEmpty() && !polling) {
            polling = true;
            client.loop.eventLoop.schedule(
                    () -> {
                        polling = false;
                        release();
                    },
                    500,
                    TimeUnit.MICROSECONDS);
        }
    }
}
