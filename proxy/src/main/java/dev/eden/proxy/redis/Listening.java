package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything a server sends to a client without being asked each time: subscriptions, MONITOR, key tracking. Kept on the exclusive
 * connection while it lasts. Before a flip the same channels are subscribed on the standby, under Eden's login because the fence
 * there refuses the client's, and its messages kept back. After the flip only the new side is forwarded, the connection logs in as
 * the client ({@code HELLO … AUTH} keeps subscriptions) and takes none of the client's commands before the server has agreed; after an
 * abort it is dropped.
 */
final class Listening implements BackendConnection.FrameTap {
    /** Commands and the word of their kind: what confirms, what is a message. */
    private static final Map<String, String> KINDS = Map.of(
            "subscribe",
            "",
            "unsubscribe",
            "",
            "psubscribe",
            "p",
            "punsubscribe",
            "p",
            "ssubscribe",
            "s",
            "sunsubscribe",
            "s");

    private final Session session;
    private final ClientConnection client;
    private final Map<String, Set<ByteBuffer>> subscribed =
            Map.of("", new LinkedHashSet<>(), "p", new LinkedHashSet<>(), "s", new LinkedHashSet<>());
    private final Deque<Confirmations> expected = new ArrayDeque<>();
    private boolean monitoring;
    /** By subcommand of {@code CLIENT}: what is on, and how: prefixes of keys to track add up. */
    private final Map<String, List<List<byte[]>>> modes = new LinkedHashMap<>();

    /** {@code CLIENT CACHING} for the command or transaction that comes next. */
    private @Nullable List<byte[]> caching;

    private boolean loggingIn;
    final Carriage carriage;

    Listening(Session session) {
        this.session = session;
        this.client = session.client;
        this.carriage = new Carriage(session, this);
    }

    boolean active() {
        return monitoring || !modes.isEmpty() || !expected.isEmpty() || subscriptions() > 0;
    }

    /** True while the exclusive connection is not the client's own yet: nothing of the client's may go over it. */
    boolean loggingIn() {
        return loggingIn;
    }

    int subscriptions() {
        int total = 0;
        for (Set<ByteBuffer> channels : subscribed.values()) {
            total += channels.size();
        }
        return total;
    }

    /** Confirmations still to come for one command; {@code silent} ones are for commands that the proxy repeats. */
    private static final class Confirmations implements ReplyTarget {
        private final Listening listening;
        private final boolean silent;
        private int left;

        Confirmations(Listening listening, int left, boolean silent) {
            this.listening = listening;
            this.left = left;
            this.silent = silent;
        }

        @Override
        public void reply(ByteBuf frame) {
            // an error instead of confirmations, or the end of them (an empty frame)
            listening.expected.remove(this);
            boolean deaf = silent && frame.isReadable(); // the client takes it for subscribed
            if (silent) {
                frame.release();
            } else {
                listening.client.output(frame);
            }
            listening.client.finished();
            if (deaf) {
                listening.client.close();
            }
        }

        @Override
        public void lost() {
            listening.client.lost();
        }
    }

    // ---- commands

    boolean subscribe() {
        byte[] word = client.argument(0);
        String command = Ascii.lower(word);
        boolean all = client.request().count() == 1;
        BackendConnection own = session.connections.own();
        if ((all || own == null || own.tap != this) && client.inFlight() > 0) {
            return false; // a reply on its way may begin like a message
        }
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        Set<ByteBuffer> kind = subscribed.get(KINDS.getOrDefault(command, ""));
        int confirmations = all && kind != null
                ? Math.max(1, kind.size())
                : client.request().count() - 1;
        connection.tap = this;
        Confirmations target = new Confirmations(this, confirmations, false);
        expected.add(target);
        client.forward(connection, target);
        return true;
    }

    boolean monitor() {
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        monitoring = true;
        connection.tap = this;
        client.forward(connection, new Agreed(connection, () -> {}, () -> monitoring = false));
        return true;
    }

    /** {@code CLIENT TRACKING} and the like: the connection is the client's own for as long as one is on. */
    boolean mode(String sub, List<byte[]> arguments) {
        if (client.inFlight() > 0) {
            return false;
        }
        if (arguments.stream().anyMatch(argument -> Ascii.equalsIgnoreCase(argument, "redirect"))) {
            return session.fail("ERR eden: REDIRECT is not available through the proxy; RESP3 needs none");
        }
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        boolean on = arguments.size() > 2 && Ascii.equalsIgnoreCase(arguments.get(2), "on");
        List<List<byte[]>> before = modes.put(sub, with(modes.get(sub), arguments));
        client.forward(
                connection,
                new Agreed(
                        connection,
                        () -> {
                            if (!on) {
                                modes.remove(sub);
                            }
                        },
                        () -> {
                            if (before == null) {
                                modes.remove(sub);
                            } else {
                                modes.put(sub, before);
                            }
                        }));
        return true;
    }

    /** {@code CLIENT CACHING}: said of one command or transaction, and kept until that one has gone out. */
    boolean caching(List<byte[]> arguments) {
        if (modes.isEmpty()) {
            return session.shared();
        }
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        caching = arguments;
        client.forward(connection, new Agreed(connection, () -> {}, () -> caching = null));
        return true;
    }

    /** A request has gone out or was answered here. A server forgets it so as well, but for its own {@code CLIENT} and within {@code MULTI}. */
    void passed(@Nullable CommandSpec spec) {
        if (caching != null && (spec == null || spec.handling() != Handling.CLIENT)) {
            Transaction open = session.transactions.open();
            if (open == null || open.ending) {
                caching = null;
            }
        }
    }

    private static List<List<byte[]>> with(@Nullable List<List<byte[]>> before, List<byte[]> command) {
        List<List<byte[]>> all = before == null ? new ArrayList<>() : new ArrayList<>(before);
        all.removeIf(one -> Arrays.deepEquals(one.toArray(), command.toArray()));
        all.add(command);
        return all;
    }

    /** The reply to a command that has been counted on already. */
    private final class Agreed implements ReplyTarget {
        private final BackendConnection connection;
        private final long sent = client.loop.now;
        private final Runnable agreed;
        private final Runnable refused;

        Agreed(BackendConnection connection, Runnable agreed, Runnable refused) {
            this.connection = connection;
            this.agreed = agreed;
            this.refused = refused;
        }

        @Override
        public void reply(ByteBuf frame) {
            byte type = frame.getByte(frame.readerIndex());
            (type == '-' || type == '!' ? refused : agreed).run();
            session.replied(connection, sent, client.loop.now, type);
            client.output(frame);
            client.finished();
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    // ---- what the server sends

    @Override
    public boolean frame(ByteBuf frame, byte type) {
        BackendConnection connection = session.connections.own();
        if (monitoring && type == '+' && Character.isDigit(frame.getByte(frame.readerIndex() + 1))) {
            client.output(frame);
            return true;
        }
        if (type != '>' && (type != '*' || session.protocol == 3)) {
            return false; // in RESP3 an array is a reply, whatever it begins with
        }
        String kind = kind(frame);
        if (KINDS.containsKey(kind) && connection != null && connection.pending() > 0) {
            confirmed(frame, kind, connection);
            return true;
        }
        if (type == '>' || kind.equals("message") || kind.equals("pmessage") || kind.equals("smessage")) {
            message(frame);
            return true;
        }
        return false;
    }

    /** A carried connection speaks RESP3 until it has logged in: in RESP2 the same message is an array. */
    private void message(ByteBuf frame) {
        if (session.protocol == 2 && frame.getByte(frame.readerIndex()) == '>') {
            frame.setByte(frame.readerIndex(), '*');
        }
        client.output(frame);
    }

    private void confirmed(ByteBuf frame, String kind, BackendConnection connection) {
        List<RespValue> fields = RespValue.read(frame.duplicate()).items();
        Set<ByteBuffer> set = subscribed.get(KINDS.getOrDefault(kind, ""));
        if (set != null && fields.size() > 1 && fields.get(1) instanceof RespValue.Bulk channel) {
            if (kind.contains("un")) {
                set.remove(ByteBuffer.wrap(channel.bytes()));
            } else {
                set.add(ByteBuffer.wrap(channel.bytes()));
            }
        }
        Confirmations first = expected.peek();
        if (first != null && first.silent) {
            frame.release();
        } else {
            client.output(frame);
        }
        if (first != null && --first.left <= 0) {
            connection.answerOldest();
        }
    }

    /** True for the confirmation of a subscription or of its end. */
    static boolean confirms(ByteBuf frame) {
        return KINDS.containsKey(kind(frame));
    }

    /** The first element of an array or push, when it is a bulk string. */
    private static String kind(ByteBuf frame) {
        int start = frame.readerIndex();
        int header = frame.indexOf(start, frame.writerIndex(), (byte) '\n') + 1;
        if (header <= 0 || header >= frame.writerIndex() || frame.getByte(header) != '$') {
            return "";
        }
        int at = frame.indexOf(header, frame.writerIndex(), (byte) '\n') + 1;
        int end = frame.indexOf(at, frame.writerIndex(), (byte) '\r');
        return at <= 0 || end < 0 || end - at > 16
                ? ""
                : frame.toString(at, end - at, java.nio.charset.StandardCharsets.US_ASCII);
    }

    // ---- other connections

    /** On a new connection: says again what the client had asked for. */
    void prelude(BackendConnection connection) {
        modes.values().stream().flatMap(List::stream).forEach(mode -> {
            ByteBuf out = client.loop.buffer();
            RespWriter.command(out, mode);
            client.send(connection, out, new Swallow(client));
        });
        if (subscriptions() > 0) {
            connection.tap = this;
            subscribeAgain((command, count) -> {
                Confirmations target = new Confirmations(this, count, true);
                expected.add(target);
                client.send(connection, command, target);
            });
        }
        if (monitoring) {
            connection.tap = this;
            ByteBuf out = client.loop.buffer();
            RespWriter.command(out, "MONITOR");
            client.send(connection, out, new Swallow(client));
        }
        List<byte[]> next = caching;
        if (next != null && !modes.isEmpty()) {
            ByteBuf out = client.loop.buffer();
            RespWriter.command(out, next);
            client.send(connection, out, new Swallow(client));
        }
    }

    interface Sender {
        void send(ByteBuf command, int confirmations);
    }

    /** Asks for the same channels once more, of whomever. */
    void subscribeAgain(Sender sender) {
        subscribed.forEach((prefix, channels) -> {
            if (!channels.isEmpty()) {
                List<byte[]> arguments = new ArrayList<>();
                arguments.add(Ascii.bytes(prefix + "subscribe"));
                channels.forEach(channel -> arguments.add(channel.array()));
                ByteBuf out = client.loop.buffer();
                RespWriter.command(out, arguments);
                sender.send(out, channels.size());
            }
        });
    }

    // ---- barrier

    /** True where the client hears messages that can be carried over: it must not miss one without knowing. */
    boolean carriable() {
        return subscriptions() > 0 && !monitoring && modes.isEmpty();
    }

    void flipped() {
        if (!active()) {
            carriage.end();
            return;
        }
        Carriage.Carried there = carriage.arrive();
        if (there != null) {
            session.connections.adopt(there.connection);
            there.connection.tap = this;
            logIn(there.connection);
            there.handOver(this::message);
            client.loop.counters.carriedSubscribers++;
            return;
        }
        BackendConnection own = session.connections.own();
        boolean half = own != null && own.tap == null && own.midReply();
        if (subscriptions() > 0 || half) {
            client.close(); // messages have passed it by: a lost server would have shown that
            return;
        }
        session.connections.close();
        if (modes.containsKey("tracking") && session.protocol == 3) {
            ByteBuf out = client.loop.buffer();
            RespWriter.header(out, '>', 2);
            RespWriter.bulk(out, Ascii.bytes("invalidate"));
            RespWriter.nullArray(out, 3);
            client.output(out);
        }
        session.connections.exclusive();
    }

    private void logIn(BackendConnection connection) {
        loggingIn = true;
        ByteBuf out = client.loop.buffer();
        RespWriter.command(
                out,
                Handshake.hello(
                        session.protocol,
                        Handshake.credentials(session.identity, connection.pool.key.server(), client.loop)));
        client.send(connection, out, new LoggedIn(connection));
    }

    private final class LoggedIn implements ReplyTarget {
        private final BackendConnection connection;

        LoggedIn(BackendConnection connection) {
            this.connection = connection;
        }

        @Override
        public void reply(ByteBuf frame) {
            byte type = frame.getByte(frame.readerIndex());
            frame.release();
            loggingIn = false;
            client.finished();
            if (type == '-' || type == '!') {
                client.close(); // on another connection it would have missed messages without knowing
            } else {
                session.transactions.replay(connection);
            }
        }

        @Override
        public void lost() {
            loggingIn = false;
            client.lost();
        }
    }

    /** RESET: none of it any more. The connection is closed by the session. */
    void clear() {
        monitoring = false;
        modes.clear();
        caching = null;
        loggingIn = false;
        expected.clear();
        subscribed.values().forEach(Set::clear);
        carriage.end();
    }

    void close() {
        clear();
    }
}
