package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultPromise;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A server without a network that answers everything in the shortest form the protocol has, and is strict: what it is sent must be messages of a client, whatever the
 * proxy's own client has sent. Registered by the connector, as any channel; {@link #answerAll} serves those that there are.
 */
public final class FakeServer extends EmbeddedChannel {
    private static final List<FakeServer> ALL = new ArrayList<>();
    private static final String USUAL = "QFPBDECSHXpdcf";

    private static @Nullable EventLoop real;
    private static @Nullable EventLoop ending;

    private final ByteBuf said = Unpooled.buffer();
    private boolean begun;
    private char status = 'I';

    public FakeServer() {
        super(DefaultChannelId.newInstance(), false, false);
        ALL.add(this);
    }

    /** A bootstrap asks its channel's loop to tell when it ends, which an embedded one cannot. */
    @Override
    public EventLoop eventLoop() {
        EventLoop loop = super.eventLoop();
        EventLoop told = ending;
        if (told == null || loop != real) {
            Promise<?> never = new DefaultPromise<>(ImmediateEventExecutor.INSTANCE);
            told = (EventLoop) Proxy.newProxyInstance(
                    EventLoop.class.getClassLoader(),
                    new Class<?>[] {EventLoop.class},
                    (_, method, arguments) ->
                            method.getName().equals("terminationFuture") ? never : method.invoke(loop, arguments));
            real = loop;
            ending = told;
        }
        return told;
    }

    /** True where any of them had something to say. */
    static boolean answerAll() {
        boolean any = false;
        for (FakeServer server : List.copyOf(ALL)) {
            any |= server.answer();
        }
        return any;
    }

    static void closeAll() {
        for (FakeServer server : List.copyOf(ALL)) {
            server.finishAndReleaseAll();
            server.said.release();
        }
        ALL.clear();
    }

    private boolean answer() {
        for (ByteBuf more = readOutbound(); more != null; more = readOutbound()) {
            said.writeBytes(more);
            more.release();
        }
        if (!isOpen()) {
            ALL.remove(this);
            said.release();
            return false;
        }
        ByteBuf out = Unpooled.directBuffer();
        while (message(out)) {
            said.discardSomeReadBytes();
        }
        if (!out.isReadable()) {
            out.release();
            return false;
        }
        writeInbound(out);
        return true;
    }

    private boolean message(ByteBuf out) {
        int start = said.readerIndex();
        if (!begun) {
            if (said.readableBytes() < 4 || said.readableBytes() < said.getInt(start)) {
                return false;
            }
            said.skipBytes(said.getInt(start));
            begun = true;
            Message.authentication(out, 0);
            Message.parameterStatus(out, "client_encoding", "UTF8");
            Message.parameterStatus(out, "standard_conforming_strings", "on");
            Message.parameterStatus(out, "search_path", "public");
            Message.backendKey(out, 7, new byte[4]);
            Message.readyForQuery(out, 'I');
            return true;
        }
        if (said.readableBytes() < Message.HEADER) {
            return false;
        }
        byte type = said.getByte(start);
        int length = said.getInt(start + 1);
        if (USUAL.indexOf(type) < 0 || length < 4 || length > Message.MAX_LENGTH) {
            throw new AssertionError("the server is sent a message " + type + " of " + length + " bytes");
        }
        if (said.readableBytes() < length + 1) {
            return false;
        }
        say(out, (char) type, start + Message.HEADER, start + 1 + length);
        said.readerIndex(start + 1 + length);
        return true;
    }

    private void say(ByteBuf out, char type, int from, int to) {
        switch (type) {
            case 'Q' -> {
                int end = Math.max(from, said.indexOf(from, to, (byte) 0));
                String sql = said.toString(from, end - from, StandardCharsets.UTF_8);
                if (sql.contains("rolpassword")) {
                    account(out, sql);
                }
                changes(sql);
                Message.commandComplete(out, "DONE");
                Message.readyForQuery(out, status);
            }
            case 'F' -> {
                out.writeByte('V').writeInt(8).writeInt(-1);
                Message.readyForQuery(out, status);
            }
            case 'P' -> Message.empty(out, '1');
            case 'B' -> Message.empty(out, '2');
            case 'C' -> Message.empty(out, '3');
            case 'D' -> {
                if (to > from && said.getByte(from) == 'S') {
                    out.writeByte('t').writeInt(6).writeShort(0);
                }
                Message.empty(out, 'n');
            }
            case 'E' -> Message.commandComplete(out, "DONE");
            case 'S' -> Message.readyForQuery(out, status);
            default -> {
                // needs no answer
            }
        }
    }

    private void changes(String sql) {
        String first = sql.strip().toLowerCase(Locale.ROOT);
        if (first.equals("begin")) {
            status = 'T';
        } else if (first.equals("commit") || first.equals("discard all")) {
            status = 'I';
        }
    }

    /** Of users whose names begin with a letter that says how they prove themselves. */
    private static void account(ByteBuf out, String sql) {
        String verifier = sql.contains("rolname = 'm")
                ? "md5" + "0".repeat(32)
                : "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" + ":"
                        + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        int at = Message.begin(out, 'D');
        out.writeShort(4);
        for (String column : new String[] {verifier, "t", "f", "4096"}) {
            out.writeInt(column.length()).writeBytes(column.getBytes(StandardCharsets.US_ASCII));
        }
        Message.end(out, at);
    }
}
