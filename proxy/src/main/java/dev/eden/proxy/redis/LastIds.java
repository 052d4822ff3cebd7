package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code $} in a blocking XREAD means "from now on" to the server that reads it. To survive a flip it must become the id it means:
 * {@code XINFO STREAM} tells it, and a stream that does not exist yet begins after 0-0.
 */
final class LastIds implements ReplyTarget {
    private final ClientConnection client;
    private final List<byte[]> arguments;
    private final int position;
    private final Runnable whenLast;

    private LastIds(ClientConnection client, List<byte[]> arguments, int position, Runnable whenLast) {
        this.client = client;
        this.arguments = arguments;
        this.position = position;
        this.whenLast = whenLast;
    }

    static boolean needed(List<byte[]> arguments) {
        return Ascii.equalsIgnoreCase(arguments.getFirst(), "xread")
                && !positions(arguments).isEmpty();
    }

    private static List<Integer> positions(List<byte[]> arguments) {
        List<Integer> found = new ArrayList<>();
        int first = firstId(arguments);
        for (int i = first; i > 0 && i < arguments.size(); i++) {
            if (Ascii.equalsIgnoreCase(arguments.get(i), "$")) {
                found.add(i);
            }
        }
        return found;
    }

    private static int firstId(List<byte[]> arguments) {
        for (int i = 1; i < arguments.size(); i++) {
            if (Ascii.equalsIgnoreCase(arguments.get(i), "streams")) {
                int rest = arguments.size() - i - 1;
                return rest > 0 && rest % 2 == 0 ? i + 1 + rest / 2 : -1;
            }
        }
        return -1;
    }

    /** Asks for the ids, then puts the request with them at the front of the client's input. */
    static void resolve(ClientConnection client, BackendConnection connection, List<byte[]> arguments) {
        List<Integer> positions = positions(arguments);
        int keys = (arguments.size() - firstId(arguments));
        int[] left = {positions.size()};
        Runnable whenLast = () -> {
            if (--left[0] == 0 && !client.isClosed()) {
                ByteBuf out = client.loop.buffer();
                RespWriter.command(out, arguments);
                client.session.lastIdsAsked();
                client.again(out);
                client.resume();
            }
        };
        client.pauseForAnswer();
        for (int position : positions) {
            ByteBuf out = client.loop.buffer();
            RespWriter.command(
                    out, List.of(Ascii.bytes("XINFO"), Ascii.bytes("STREAM"), arguments.get(position - keys)));
            client.send(connection, out, new LastIds(client, arguments, position, whenLast));
        }
    }

    @Override
    public void reply(ByteBuf frame) {
        byte[] id = Ascii.bytes("0-0");
        try {
            RespValue answer = RespValue.read(frame);
            if (answer instanceof RespValue.Failure failure
                    && !failure.message().startsWith("ERR no such key")) {
                id = arguments.get(position); // it may not look
            }
            List<RespValue> fields = answer.items();
            for (int i = 0; i + 1 < fields.size(); i += 2) {
                if (fields.get(i).text().equals("last-generated-id")) {
                    id = Ascii.bytes(fields.get(i + 1).text());
                }
            }
        } finally {
            frame.release();
        }
        arguments.set(position, id);
        client.finished();
        whenLast.run();
    }

    @Override
    public void lost() {
        client.lost();
    }
}
