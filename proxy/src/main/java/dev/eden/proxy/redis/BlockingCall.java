package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One blocking command on its exclusive connection. When the barrier comes it is taken back: {@code CLIENT UNBLOCK id TIMEOUT} answering
 * 1 proves that nothing was popped, so its empty reply is swallowed and the command goes out again, with the time it has left, on the
 * side that opens; 0 means that it was not blocked (any more): its real reply is delivered, or, if it had not reached the server yet,
 * it is asked again. Where the answer is lost with its connection, an empty reply may be either, and goes out again as well. See https://redis.io/docs/latest/commands/client-unblock/.
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
    private final @Nullable WaitMark mark;
    private final boolean millis;
    private final boolean reissuable;
    private final long started;
    private Asked asked = Asked.NO;
    private boolean unanswered;
    private @Nullable ByteBuf early;
    private boolean over;

    BlockingCall(
            ClientConnection client,
            BackendConnection connection,
            List<byte[]> arguments,
            int timeoutAt,
            @Nullable WaitMark mark) {
        this.mark = mark;
        this.client = client;
        this.connection = connection;
        this.arguments = arguments;
        this.timeoutAt = timeoutAt;
        String name = Ascii.lower(arguments.getFirst());
        this.millis = name.startsWith("xread");
        this.reissuable = timeoutAt > 0 && !name.startsWith("wait");
        this.started = client.loop.now;
        client.loop.context.blocked.add(client, connection);
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
            if (control == null || over || !client.loop.gate.held()) {
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
                            unanswered = true;
                            connection.aimedAt = true;
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
        end();
        client.session.crossing.blockingOver(this);
        boolean takenBack = asked == Asked.UNBLOCKED || (unanswered && empty(frame) && !expired());
        if (takenBack && reissuable && !client.isClosed()) {
            frame.release();
            client.loop.counters.reissued++;
            client.again(again());
            client.finished();
        } else {
            byte type = frame.getByte(frame.readerIndex());
            client.session.count(connection, started, client.loop.now, type);
            boolean refused = type == '-' || type == '!';
            if (mark != null && mark.missed() && !refused) {
                frame.release();
                client.session.deliver(nobody());
            } else {
                client.session.deliver(frame);
            }
        }
        client.loop.wake(client);
    }

    /** That no replica has confirmed, and no file. */
    private ByteBuf nobody() {
        ByteBuf out = client.loop.buffer();
        boolean both = arguments.getFirst().length > 4;
        out.writeBytes(Ascii.bytes(both ? "*2\r\n:0\r\n:0\r\n" : ":0\r\n"));
        return out;
    }

    private static boolean empty(ByteBuf frame) {
        byte type = frame.getByte(frame.readerIndex());
        return type == '_' || ((type == '*' || type == '$') && frame.getByte(frame.readerIndex() + 1) == '-');
    }

    private boolean expired() {
        double limit = limitSeconds();
        return limit > 0 && elapsedSeconds() >= limit;
    }

    private double elapsedSeconds() {
        return (System.nanoTime() - started) / 1e9;
    }

    /** What the client asked for; 0 means for ever. */
    private double limitSeconds() {
        try {
            double asked = Double.parseDouble(new String(arguments.get(timeoutAt), StandardCharsets.US_ASCII));
            return millis ? asked / 1000 : asked;
        } catch (NumberFormatException e) {
            return 0; // the server has blocked on it, so it can't be
        }
    }

    /** The command with the time it has left. */
    private ByteBuf again() {
        List<byte[]> rest = new ArrayList<>(arguments);
        double limit = limitSeconds();
        if (limit > 0) {
            double left = Math.max(0.001, limit - elapsedSeconds());
            rest.set(
                    timeoutAt,
                    Ascii.bytes(
                            millis
                                    ? Long.toString(Math.round(left * 1000))
                                    : String.format(Locale.ROOT, "%.3f", left)));
        }
        ByteBuf out = client.loop.buffer();
        RespWriter.command(out, rest);
        return out;
    }

    private void end() {
        over = true;
        client.loop.context.blocked.remove(client);
    }

    @Override
    public void lost() {
        end();
        ByteBuf waiting = early;
        if (waiting != null) {
            waiting.release();
            early = null;
        }
        client.lost();
    }
}
