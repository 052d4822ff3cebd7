package dev.eden.proxy.redis;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/** With {@code ack: both}: a client's replies, in order, each kept until the standby has applied everything the active server had done when it came. */
final class Acknowledgements implements ReplyTarget {
    private record Kept(ByteBuf frame, long at) {}

    private final ClientConnection client;
    private final Deque<Kept> kept = new ArrayDeque<>();
    private boolean polling;

    Acknowledgements(ClientConnection client) {
        this.client = client;
    }

    @Override
    public void reply(ByteBuf frame) {
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

    @Override
    public void lost() {
        client.lost();
    }
}
