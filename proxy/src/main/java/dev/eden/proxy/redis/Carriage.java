package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One subscriber's way to the server that gets the authority. It arrives only where no message can be missing: its channels were confirmed there before
 * anybody could publish there, and the old server has been heard out after nobody could publish here.
 */
final class Carriage {
    private static final int KEPT_BYTES = 1 << 20;

    private final Session session;
    private final ClientConnection client;
    private final Listening listening;
    /** The hold's own: a connection that was asked for in an earlier one is not for this one. */
    private @Nullable Object wanted;

    private @Nullable Carried carried;
    private @Nullable LastWord lastWord;

    Carriage(Session session, Listening listening) {
        this.session = session;
        this.client = session.client;
        this.listening = listening;
    }

    /** The same channels on the standby, messages kept until the outcome is known. */
    final class Carried implements BackendConnection.FrameTap {
        final BackendConnection connection;
        private final List<ByteBuf> kept = new ArrayList<>();
        private int keptBytes;
        private int confirmations;
        private boolean failed;
        /** What it says of writes that were copied there before the commit the client hears, or has heard, from the old server. */
        private boolean keeps;

        /** {@code committed}: nothing is copied there any more. */
        Carried(BackendConnection connection, boolean committed) {
            this.connection = connection;
            this.keeps = committed;
        }

        private void start() {
            connection.tap = this;
            listening.subscribeAgain((command, count) -> {
                confirmations += count;
                connection.write(command);
            });
        }

        private boolean arrived() {
            return confirmations == 0 && keeps;
        }

        @Override
        public boolean frame(ByteBuf frame, byte type) {
            if (type == '-') {
                failed = true;
                frame.release();
            } else if (Listening.confirms(frame)) {
                confirmations--;
                frame.release();
            } else if (!keeps) {
                keeps = type == '+'; // the answer to the PING of the commit
                frame.release();
            } else if (keptBytes + frame.readableBytes() > KEPT_BYTES) {
                failed = true;
                frame.release();
            } else {
                keptBytes += frame.readableBytes();
                kept.add(frame);
            }
            return true;
        }

        private boolean sound() {
            return !failed && connection.usable();
        }

        /** Takes the messages that were kept, in order. */
        void handOver(Consumer<ByteBuf> listener) {
            kept.forEach(listener);
            kept.clear();
        }

        private void drop() {
            kept.forEach(ByteBuf::release);
            kept.clear();
            connection.tap = null;
            connection.close();
        }
    }

    /** An answer that the old server gives behind the last message. */
    private static final class LastWord implements ReplyTarget {
        private boolean heard;

        @Override
        public void reply(ByteBuf frame) {
            frame.release();
            heard = true;
        }

        @Override
        public void lost() {
            // and with it the client's own connection
        }
    }

    /** Nothing of the client's is on its way any more: what it has subscribed to by now is all there is to carry. */
    void begin() {
        ServerAddress standby = client.loop.gate.standby();
        if (!listening.carriable() || standby == null || !client.loop.gate.held() || wanted != null) {
            return;
        }
        Object mine = new Object();
        wanted = mine;
        client.loop
                .pool(new PoolKey(standby, Identity.EDEN, session.database, 3)) // RESP2 subscribers can't log in
                .await(true, (connection, _) -> {
                    if (wanted != mine || client.isClosed() || !client.loop.gate.held() || client.inFlight() > 0) {
                        if (connection != null) {
                            connection.pool.release(connection);
                        }
                        if (wanted == mine) {
                            wanted = null;
                        }
                    } else if (connection == null) {
                        wanted = null;
                    } else {
                        Carried there = new Carried(connection, lastWord != null);
                        carried = there;
                        there.start();
                    }
                });
    }

    /** Nobody publishes on the old server any more: what it answers now comes behind every message. */
    void hearOut() {
        BackendConnection own = session.connections.own();
        if (!listening.carriable() || own == null || lastWord != null) {
            return;
        }
        LastWord word = new LastWord();
        lastWord = word;
        Carried there = carried;
        if (there != null && !there.keeps) {
            there.connection.write(ping());
        }
        begin();
        own.expect(word, client.loop.now);
        own.write(ping());
    }

    private ByteBuf ping() {
        ByteBuf ping = client.loop.buffer();
        RespWriter.command(ping, "PING");
        return ping;
    }

    private boolean heardOut() {
        LastWord word = lastWord;
        return word != null && word.heard;
    }

    /** True where it is not known yet whether this client arrives. */
    boolean underWay() {
        if (client.isClosed() || !listening.carriable()) {
            return false;
        }
        Carried there = carried;
        boolean unconfirmed = wanted != null && (there == null || (there.sound() && !there.arrived()));
        return unconfirmed || !heardOut();
    }

    /** The connection over there, for the client; null where something may be missing. */
    @Nullable
    Carried arrive() {
        Carried there = carried;
        if (there != null && there.sound() && there.arrived() && here(there) && heardOut() && listening.carriable()) {
            carried = null;
            end();
            return there;
        }
        end();
        return null;
    }

    /** Where the client is: what it writes goes over this connection next. */
    private boolean here(Carried there) {
        PoolKey key = there.connection.pool.key;
        return key.server().equals(client.loop.gate.active())
                && key.database() == session.database
                && !there.connection.unselected;
    }

    /** The client stays where it is, or has gone. */
    void end() {
        wanted = null;
        lastWord = null;
        Carried there = carried;
        carried = null;
        if (there != null) {
            there.drop();
        }
    }
}
