package dev.eden.proxy.redis;

import dev.eden.proxy.RedisProxyConfig.Limits;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * With {@code ack: both}: a client's replies, in order, each kept until the standby has applied everything the active server had done when it came, or
 * {@link Patience} ends. As long as one is {@linkplain #outstanding() outstanding}, nothing else of the client's may be answered past it.
 */
final class Acknowledgements {
    /** Requests of one client whose replies have not come or are kept; one that sends on and never waits for an answer has to. */
    private static final int OUTSTANDING = 1024;

    private record Kept(ByteBuf frame, long at) {}

    private final ClientConnection client;
    private final Limits limits;
    private final Deque<Kept> kept = new ArrayDeque<>();
    private int expected;
    private long bytes;
    private @Nullable BackendConnection paused;
    private boolean polling;

    Acknowledgements(ClientConnection client) {
        this.client = client;
        this.limits = client.loop.context.config.limits();
    }

    boolean outstanding() {
        return expected > 0 || !kept.isEmpty();
    }

    /** Whether the client's next request waits until some of these replies have gone. */
    boolean full() {
        return expected + kept.size() >= OUTSTANDING
                || bytes >= limits.outputBytes()
                || (outstanding() && client.loop.context.bufferedBytes.get() > limits.totalBytes());
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
            if (paused == null && tooMuch()) {
                paused = connection;
                connection.pause();
            }
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
        account(frame.readableBytes());
        release();
    }

    /** Replies to what was on its way already when the client was {@link #full}. */
    private boolean tooMuch() {
        return bytes > (long) Congestion.KEPT * limits.outputBytes();
    }

    private void account(int change) {
        bytes += change;
        client.loop.context.bufferedBytes.addAndGet(change);
    }

    private void release() {
        boolean still = true;
        while (!kept.isEmpty() && still) {
            Kept first = kept.element();
            still = client.isClosed()
                    || !client.loop.gate.acknowledgesBoth()
                    || client.loop.context.freshness().covers(first.at())
                    || goesAlone(first.at());
            if (still) {
                kept.remove();
                account(-first.frame().readableBytes());
                client.output(first.frame());
                client.finished();
            }
        }
        BackendConnection source = paused;
        if (source != null && !tooMuch()) {
            paused = null;
            source.unpause();
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

    private boolean goesAlone(long since) {
        boolean alone = client.loop.patience.over(since);
        if (alone) {
            client.loop.counters.acknowledgedAlone++;
        }
        return alone;
    }
}
