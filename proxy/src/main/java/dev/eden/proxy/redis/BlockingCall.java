package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One blocking command on its exclusive connection. When the barrier comes it is taken back: {@code CLIENT UNBLOCK id TIMEOUT} answering
 * 1 proves that nothing was popped, so its empty reply is swallowed and the command goes out again, with the time it has left, on the
 * side that opens; 0 means that it was not blocked (any more): its real reply is delivered, or, if it had not reached the server yet,
 * it is asked again. See https://redis.io/docs/latest/commands/client-unblock/.
 */
final class BlockingCall implements ReplyTarget {
    private enum Asked {
        NO,
        WAITING,
        UNBLOCKED
    }

    private final ClientConnection client;
    private final BackendConnection connection;
    private final List<byte[]> arguments;
    private final int timeoutAt;
    private final boolean millis;
    private final boolean reissuable;
    private final long started;
    private Asked asked = Asked.NO;
    private @Nullable ByteBuf early;
    private boolean over;

    BlockingCall(ClientConnection client, BackendConnection connection, List<byte[]> arguments, int timeoutAt) {
        this.client = client;
        this.connection = connection;
        this.arguments = arguments;
        this.timeoutAt = timeoutAt;
        String name = Ascii.lower(arguments.getFirst());
        this.millis = name.startsWith("xread");
        this.reissuable = timeoutAt > 0 && !name.startsWith("wait");
        this.started = client.loop.now;
    }

    /** Where the timeout of a blocking command stands; -1 where it does not block. */
    static int timeoutPosition(List<byte[]> arguments) {
        String name = Ascii.lower(arguments.getFirst());
        return switch (name) {
            case "blmpop", "bzmpop" -> 1;
            case "xread", "xreadgroup" -> {
                for (int i = 1; i + 1 < arguments.size(); i++) {
                    if (Ascii.equalsIgnoreCase(arguments.get(i), "streams")) {
                        break;
                    }
                    if (Ascii.equalsIgnoreCase(arguments.get(i), "block")) {
                        yield i + 1;
                    }
                }
                yield -1;
            }
            default -> arguments.size() - 1;
        };
    }

    // ---- taking back

    /** The loop holds: get it off the server. */
    void takeBack() {
        if (asked != Asked.NO || over) {
            return;
        }
        asked = Asked.WAITING;
        ServerAddress server = connection.pool.key.server();
        client.loop.pool(new PoolKey(server, Identity.EDEN, 0, 2)).await(false, (control, failure) -> {
            if (control == null) {
                answered(0);
                return;
            }
            ByteBuf out = client.loop.buffer();
            RespWriter.command(out, "CLIENT", "UNBLOCK", Long.toString(connection.serverId), "TIMEOUT");
            control.expect(
                    new ReplyTarget() {
                        @Override
                        public void reply(ByteBuf frame) {
                            try {
                                answered(RespValue.read(frame) instanceof RespValue.Int number ? number.value() : 0);
                            } finally {
                                frame.release();
                            }
                        }

                        @Override
                        public void lost() {
                            answered(0);
                        }
                    },
                    client.loop.now);
            control.write(out);
        });
    }

    private void answered(long unblocked) {
        ByteBuf waiting = early;
        early = null;
        if (over) {
            return;
        }
        if (unblocked == 1) {
            asked = Asked.UNBLOCKED;
            if (waiting != null) {
                reply(waiting);
            }
            return;
        }
        asked = Asked.NO;
        if (waiting != null) {
            reply(waiting);
        } else if (client.loop.gate.held()) {
            client.loop.eventLoop.schedule(
                    () -> {
                        if (client.loop.gate.held()) {
                            takeBack();
                        }
                    },
                    1,
                    TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void reply(ByteBuf frame) {
        if (asked == Asked.WAITING) {
            early = frame;
            return;
        }
        over = true;
        client.session.crossing.blockingOver(this);
        if (asked == Asked.UNBLOCKED && reissuable && !client.isClosed()) {
            frame.release();
            client.loop.counters.reissued++;
            client.again(again());
            client.finished();
        } else {
            client.session.count(connection, started, client.loop.now, frame.getByte(frame.readerIndex()));
            client.session.deliver(frame);
        }
        client.loop.wake(client);
    }

    /** The command with the time it has left. */
    private ByteBuf again() {
        List<byte[]> rest = new ArrayList<>(arguments);
        String timeout = new String(arguments.get(timeoutAt), java.nio.charset.StandardCharsets.US_ASCII);
        double elapsed = (System.nanoTime() - started) / 1e9;
        try {
            double asked = Double.parseDouble(timeout);
            if (asked > 0) {
                rest.set(
                        timeoutAt,
                        Ascii.bytes(
                                millis
                                        ? Long.toString(Math.max(1, Math.round(asked - elapsed * 1000)))
                                        : String.format(Locale.ROOT, "%.3f", Math.max(0.001, asked - elapsed))));
            }
        } catch (NumberFormatException e) {
            // the server has blocked on it, so it can't be; sent as it was
        }
        ByteBuf out = client.loop.buffer();
        RespWriter.command(out, rest);
        return out;
    }

    @Override
    public void lost() {
        over = true;
        ByteBuf waiting = early;
        if (waiting != null) {
            waiting.release();
            early = null;
        }
        client.lost();
    }
}
