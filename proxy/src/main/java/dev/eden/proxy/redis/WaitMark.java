package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.List;

/**
 * {@code WAIT} asks for the writes of its own connection, and the client's writes went over others. What goes out before it on its connection moves
 * what is asked for past all that was written until then: up to 7.0 any command does, from 7.2 on one that is replicated (Redis 7.2 release
 * notes, "WAIT"). {@code SPUBLISH} is, and no pattern of a subscriber meets it.
 */
final class WaitMark {
    private static final String CHANNEL = "eden:{wait}";

    private final ClientConnection client;
    private boolean anyCommand;
    private boolean replicated;
    private boolean shardedChannels = true;

    private WaitMark(ClientConnection client) {
        this.client = client;
    }

    static boolean needed(List<byte[]> arguments) {
        return Ascii.equalsIgnoreCase(arguments.getFirst(), "wait")
                || Ascii.equalsIgnoreCase(arguments.getFirst(), "waitaof");
    }

    static WaitMark send(ClientConnection client, BackendConnection connection) {
        WaitMark mark = new WaitMark(client);
        mark.send(connection, "PING");
        mark.send(connection, "SPUBLISH", CHANNEL, "");
        return mark;
    }

    /** True where what {@code WAIT} answers says nothing of the client's writes. */
    boolean missed() {
        return !replicated && (shardedChannels || !anyCommand);
    }

    private void send(BackendConnection connection, String... command) {
        boolean publishes = command.length > 1;
        ByteBuf out = client.loop.buffer();
        RespWriter.command(out, command);
        client.send(connection, out, new ReplyTarget() {
            @Override
            public void reply(ByteBuf frame) {
                boolean refused = frame.getByte(frame.readerIndex()) == '-';
                if (publishes) {
                    replicated = !refused;
                    shardedChannels = !refused
                            || !frame.toString(java.nio.charset.StandardCharsets.US_ASCII)
                                    .startsWith("-ERR unknown command");
                } else {
                    anyCommand = !refused;
                }
                frame.release();
                client.finished();
            }

            @Override
            public void lost() {
                client.lost();
            }
        });
    }
}
