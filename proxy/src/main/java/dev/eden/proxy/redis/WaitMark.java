package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.function.Consumer;

/**
 * {@code WAIT} asks for the writes of its own connection, and the client's writes went over others. What goes out before it on its connection moves
 * what is asked for past all that was written until then: up to 7.0 any command does, from 7.2 on one that is replicated (Redis 7.2 release
 * notes, "WAIT"). {@code SPUBLISH} is, but for a cluster, which has a bus for it; and no pattern of a subscriber meets it. {@code HELLO} tells which
 * server it is, and everybody may ask it.
 *
 * <p>A server without replicas and without a backlog counts writes for {@code WAITAOF} as they come to its file, and nothing that is for replicas alone.
 */
final class WaitMark {
    private static final String CHANNEL = "eden:{wait}";

    private final ClientConnection client;
    private boolean anyCommandCounts;
    private boolean clustered = true;
    private boolean published;
    private boolean counted = true;

    private WaitMark(ClientConnection client) {
        this.client = client;
    }

    static boolean needed(List<byte[]> arguments) {
        return Ascii.equalsIgnoreCase(arguments.getFirst(), "wait") || forFile(arguments);
    }

    private static boolean forFile(List<byte[]> arguments) {
        return Ascii.equalsIgnoreCase(arguments.getFirst(), "waitaof");
    }

    static WaitMark send(ClientConnection client, BackendConnection connection, List<byte[]> arguments) {
        WaitMark mark = new WaitMark(client);
        mark.send(connection, mark::introduced, "HELLO");
        if (forFile(arguments)) {
            mark.send(
                    connection,
                    answer -> mark.counted = answer.text().contains("repl_backlog_active:1"),
                    "INFO",
                    "replication");
        }
        mark.send(
                connection, answer -> mark.published = !(answer instanceof RespValue.Failure), "SPUBLISH", CHANNEL, "");
        return mark;
    }

    /** True where what {@code WAIT} answers says nothing of the client's writes. */
    boolean missed() {
        return !anyCommandCounts && (clustered || !published || !counted);
    }

    private void introduced(RespValue answer) {
        List<RespValue> fields = answer.items();
        for (int i = 0; i + 1 < fields.size(); i += 2) {
            String value = fields.get(i + 1).text();
            switch (fields.get(i).text()) {
                case "version" -> anyCommandCounts = value.matches("6\\..*|7\\.[01]\\..*");
                case "mode" -> clustered = !value.equals("standalone");
                default -> {}
            }
        }
    }

    private void send(BackendConnection connection, Consumer<RespValue> taker, String... command) {
        ByteBuf out = client.loop.buffer();
        RespWriter.command(out, command);
        client.send(connection, out, new ReplyTarget() {
            @Override
            public void reply(ByteBuf frame) {
                try {
                    taker.accept(RespValue.read(frame));
                } finally {
                    frame.release();
                }
                client.finished();
            }

            @Override
            public void lost() {
                client.lost();
            }
        });
    }
}
