package dev.eden.proxy.redis;

import dev.eden.proxy.RedisProxyConfig.Limits;
import dev.eden.proxy.Route;
import dev.eden.proxy.resp.ProtocolError;
import dev.eden.proxy.resp.RequestScanner;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client. Requests are taken from its buffer one by one and sent over one backend connection at a time: it changes to another
 * (shared or exclusive, source or standby) only when nothing of it is in flight, and until then the next request stays in the buffer. So
 * replies need no reordering, and whatever can't be sent now (held, no connection yet, peer not taking bytes) waits in one place,
 * unparsed, in order.
 */
final class ClientConnection extends ChannelInboundHandlerAdapter implements ReplyTarget {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClientConnection.class);

    final ProxyLoop loop;
    final Channel channel;
    final long id;
    final Session session;
    private final Limits limits;
    private final RequestScanner scanner;
    private final Congestion congestion;

    private @Nullable ByteBuf in;
    private boolean frameReady;
    private boolean processing;
    private boolean awaiting;
    private boolean stalled;
    private boolean closed;
    private boolean dirty;
    private boolean reading = true;
    private boolean heldCounted;
    private long accounted;
    private @Nullable String failure;
    /** What was wrong with a request; those before it are answered first. */
    private @Nullable String broken;

    private @Nullable BackendConnection current;
    private int inFlight;
    private @Nullable BackendConnection run;
    private int runStart;
    private @Nullable BackendConnection streaming;
    int index;

    ClientConnection(ProxyLoop loop, Channel channel, long id) {
        this.loop = loop;
        this.channel = channel;
        this.id = id;
        this.limits = loop.context.config.limits();
        this.scanner = new RequestScanner(limits.largeRequest());
        this.congestion = new Congestion(this);
        this.session = new Session(this);
    }

    // ---- input

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (closed) {
            bytes.release();
            return;
        }
        loop.tick();
        ByteBuf before = in;
        if (before == null) {
            in = bytes;
        } else {
            CompositeByteBuf both;
            if (before instanceof CompositeByteBuf composite && composite.refCnt() == 1) {
                both = composite;
            } else {
                both = bytes.alloc().compositeBuffer(4096);
                both.addFlattenedComponents(true, before);
            }
            both.addFlattenedComponents(true, bytes);
            in = both;
        }
        process();
    }

    /** The event that it waited for may have come. */
    void woken() {
        if (!closed) {
            session.crossing.settle();
            process();
        }
    }

    /** Sends what can be sent. */
    void process() {
        if (processing || closed) {
            return;
        }
        processing = true;
        try {
            stalled = false;
            while (!awaiting && !closed && broken == null) {
                ByteBuf buffer = in;
                if (buffer == null || !buffer.isReadable()) {
                    break;
                }
                if (!next(buffer)) {
                    break;
                }
            }
            endRun();
        } catch (ProtocolError e) {
            endRun();
            broken = "ERR Protocol error: " + e.getMessage();
        } finally {
            processing = false;
        }
        endIfBroken();
        settleInput();
        if (inFlight == 0 && !closed) {
            session.crossing.settle();
        }
    }

    /** Says what was wrong as soon as all before it is answered; a request of which a part has gone out will have no answer. */
    private void endIfBroken() {
        String why = broken;
        if (why == null || closed || awaiting) {
            return;
        }
        if (inFlight > (streaming == null ? 0 : 1)) {
            stalled = true;
            return;
        }
        loop.counters.protocolErrors++;
        error(why);
        closeAfterOutput();
    }

    /** Handles the next request or part of one; false when it has to wait. */
    private boolean next(ByteBuf buffer) {
        if (!frameReady) {
            switch (scanner.scan(buffer, buffer.readerIndex())) {
                case PARTIAL -> {
                    if (streaming != null) {
                        stream(buffer, Math.min(scanner.length(), buffer.readableBytes()));
                    }
                    return false;
                }
                case LARGE -> {
                    return large(buffer);
                }
                case COMPLETE -> frameReady = true;
            }
            if (streaming != null) {
                stream(buffer, scanner.length());
                streaming = null;
                frameReady = false;
                scanner.reset();
                return true;
            }
        }
        if (scanner.inline()) {
            return inline(buffer);
        }
        if (scanner.count() == 0) {
            consume();
            return true;
        }
        if (!dispatch(buffer)) {
            stalled = true;
            return false;
        }
        return true;
    }

    private boolean dispatch(ByteBuf buffer) {
        String why = failure;
        if (why != null) {
            if (inFlight > 0) {
                return false;
            }
            failure = null;
            session.refuse(why, command(buffer));
            return true;
        }
        if (!loop.gate.open()) {
            if (!heldCounted) {
                heldCounted = true;
                loop.counters.held++;
            }
            return false;
        }
        if (!channel.isWritable()) {
            return false;
        }
        return session.dispatch(command(buffer));
    }

    /** What is known of the command at hand; null for one that nobody knows. */
    private @Nullable CommandSpec command(ByteBuf buffer) {
        return loop.commands.find(buffer, buffer.readerIndex() + scanner.offset(0), scanner.argumentLength(0));
    }

    /** An inline request becomes a RESP array in the buffer. */
    private boolean inline(ByteBuf buffer) {
        List<byte[]> arguments = scanner.inlineArguments(buffer, buffer.readerIndex());
        endRun();
        consume();
        if (!arguments.isEmpty()) {
            ByteBuf array = loop.buffer();
            RespWriter.command(array, arguments);
            prepend(array);
        }
        return true;
    }

    /** Puts bytes before what has been collected; they are handled next. Takes over the reference. */
    void prepend(ByteBuf bytes) {
        endRun();
        ByteBuf rest = in;
        if (rest == null || !rest.isReadable()) {
            if (rest != null) {
                rest.release();
            }
            in = bytes;
        } else {
            CompositeByteBuf both = bytes.alloc().compositeBuffer(4096);
            both.addFlattenedComponents(true, bytes);
            both.addFlattenedComponents(true, rest);
            in = both;
        }
        frameReady = false;
        broken = null; // found again behind them
        scanner.reset();
    }

    /** A request that must be sent again is at hand again. Takes over the reference. */
    void again(ByteBuf request) {
        session.replyMode.again();
        prepend(request);
    }

    // ---- one request

    RequestScanner request() {
        return scanner;
    }

    /** One argument of the request at hand, copied; must be one of the first four. */
    byte[] argument(int index) {
        ByteBuf buffer = buffer();
        byte[] bytes = new byte[scanner.argumentLength(index)];
        buffer.getBytes(buffer.readerIndex() + scanner.offset(index), bytes);
        return bytes;
    }

    /** All arguments of the request at hand, copied. */
    List<byte[]> arguments() {
        return RequestScanner.arguments(buffer(), buffer().readerIndex());
    }

    ByteBuf buffer() {
        ByteBuf buffer = in;
        if (buffer == null) {
            throw new IllegalStateException("no request at hand");
        }
        return buffer;
    }

    int requestLength() {
        return (int) scanner.length();
    }

    /** Moves past the request at hand. */
    void consume() {
        buffer().skipBytes((int) scanner.length());
        frameReady = false;
        heldCounted = false;
        scanner.reset();
    }

    int inFlight() {
        return inFlight;
    }

    @Nullable
    BackendConnection current() {
        return current;
    }

    /** Sends the request at hand over {@code connection}; its reply goes straight to this client. */
    void forward(BackendConnection connection) {
        forward(connection, this);
    }

    /** Sends the request at hand; {@code target} gets the reply and calls {@link #finished} for it. */
    void forward(BackendConnection connection, ReplyTarget target) {
        if (run != connection) {
            endRun();
            run = connection;
            runStart = buffer().readerIndex();
        }
        connection.expect(target, loop.now);
        began(connection);
        consume();
    }

    private void began(BackendConnection connection) {
        current = connection;
        inFlight++;
        loop.inFlight++;
    }

    /** Drops the request at hand and sends {@code bytes} in its place. Takes over the reference. */
    void substitute(BackendConnection connection, ByteBuf bytes, ReplyTarget target) {
        endRun();
        consume();
        send(connection, bytes, target);
    }

    /** Sends bytes that are one request. Takes over the reference. */
    void send(BackendConnection connection, ByteBuf bytes, ReplyTarget target) {
        endRun();
        connection.expect(target, loop.now);
        began(connection);
        connection.write(bytes);
    }

    private void endRun() {
        BackendConnection connection = run;
        if (connection == null) {
            return;
        }
        run = null;
        ByteBuf buffer = buffer();
        int length = buffer.readerIndex() - runStart;
        if (!buffer.isReadable() && runStart == 0) {
            in = null;
            connection.write(buffer.readerIndex(0));
        } else {
            connection.write(buffer.retainedSlice(runStart, length));
        }
    }

    // ---- large requests

    private boolean large(ByteBuf buffer) {
        BackendConnection connection = streaming;
        if (connection == null) {
            String why = failure;
            if (why != null) {
                throw new ProtocolError(why);
            }
            if (scanner.known() == 0) {
                throw new ProtocolError("too big bulk count string");
            }
            if (mustBeWhole(buffer)) {
                return false;
            }
            if (!loop.gate.open()) {
                stalled = true;
                return false;
            }
            endRun();
            connection = session.forLarge();
            if (connection == null) {
                stalled = true;
                return false;
            }
            streaming = connection;
            connection.expect(session.forLarge(connection), loop.now);
            began(connection);
        }
        if (!connection.writable()) {
            stalled = true;
            return false;
        }
        stream(buffer, Math.min(scanner.length(), buffer.readableBytes()));
        return false;
    }

    /** Whether the request is collected however large: what it changes or carries has to be known here. */
    private boolean mustBeWhole(ByteBuf buffer) {
        boolean named = (long) scanner.offset(0) + scanner.argumentLength(0) <= buffer.readableBytes();
        CommandSpec spec = named ? command(buffer) : null;
        int most = spec == null ? 0 : spec.handling().whole();
        if (spec == null || most == 0) {
            return false;
        }
        if (scanner.length() > most) {
            throw new ProtocolError(spec.name() + " of more than " + most + " bytes");
        }
        if (loop.context.bufferedBytes.get() + scanner.length() - buffer.readableBytes() > limits.totalBytes()) {
            throw new ProtocolError(spec.name() + " of " + scanner.length()
                    + " bytes, where the proxy has as much of its clients as its memory allows");
        }
        return true;
    }

    private void stream(ByteBuf buffer, long bytes) {
        BackendConnection connection = streaming;
        if (connection == null || bytes == 0) {
            return;
        }
        scanner.forget(bytes);
        connection.write(buffer.readRetainedSlice((int) bytes));
    }

    // ---- output

    /** Bytes of a reply. Takes over the reference. */
    void output(ByteBuf bytes) {
        if (closed || session.replyMode.muted()) {
            bytes.release();
            return;
        }
        int length = bytes.readableBytes();
        channel.write(bytes, channel.voidPromise());
        congestion.written(length);
        if (!dirty) {
            dirty = true;
            loop.flushLater(this);
        }
    }

    void flush() {
        dirty = false;
        if (!closed) {
            channel.flush();
        }
    }

    /** A reply of the proxy's own; only while nothing is in flight. */
    void answer(Consumer<ByteBuf> writer) {
        if (session.replyMode.muted()) {
            return;
        }
        ByteBuf out = loop.buffer();
        writer.accept(out);
        output(out);
    }

    void error(String message) {
        loop.counters.errors++;
        answer(out -> RespWriter.error(out, message));
    }

    /** One reply has come whole over {@code connection}; its bytes have been or will be passed on in this event. */
    void replied(BackendConnection connection, long sent, long now, byte type) {
        session.replied(connection, sent, now, type);
        finished();
    }

    /** One request is over. */
    void finished() {
        inFlight--;
        loop.inFlight--;
        if (stalled || (inFlight == 0 && session.crossing.wantsRest())) {
            loop.wake(this);
        }
    }

    @Override
    public void reply(ByteBuf frame) {
        output(frame); // unreachable in practice: bytes for this target are passed on while they arrive
    }

    /** In doubt: the request may have run. A lost server would have closed the connection, and so do we. */
    @Override
    public void lost() {
        finished();
        if (!closed) {
            loop.counters.inDoubt++;
            close();
        }
    }

    // ---- waiting

    /** Stops taking requests until {@link #resume}. */
    void pauseForAnswer() {
        awaiting = true;
    }

    boolean awaiting() {
        return awaiting;
    }

    void resume() {
        awaiting = false;
        loop.wake(this);
    }

    /** The request at hand can't be sent: it gets this error. */
    void resumeWithFailure(String why) {
        failure = why;
        resume();
    }

    // ---- barrier

    /** The loop holds from now on: rest as soon as possible. */
    void hold() {
        congestion.hold();
        if (!closed) {
            session.crossing.hold();
        }
    }

    /** A (new) route is in force. */
    void routed(boolean flipped, boolean wasHeld) {
        heldCounted = false;
        session.crossing.routed(flipped, wasHeld);
    }

    /** True when nothing of this client's is on a server that a flip would leave behind. */
    boolean resting() {
        return inFlight == 0 && session.crossing.resting();
    }

    @Nullable
    Route route() {
        return loop.route();
    }

    // ---- back-pressure

    private void settleInput() {
        if (closed) {
            return;
        }
        ByteBuf buffer = in;
        if (buffer != null && !buffer.isReadable()) {
            buffer.release();
            in = null;
            buffer = null;
        }
        int collected = buffer == null ? 0 : buffer.readableBytes();
        long total = account(collected);
        boolean full = (stalled || awaiting)
                && (collected > limits.inputBytes() || (collected > 0 && total > limits.totalBytes()));
        if (full == reading) {
            reading = !full;
            channel.config().setAutoRead(reading);
        }
    }

    /** Keeps the proxy's sum of what clients have sent and not been served; answers it. */
    private long account(int collected) {
        if (Math.abs(collected - accounted) < 4096 && collected > 0) {
            return loop.context.bufferedBytes.get();
        }
        long change = collected - accounted;
        accounted = collected;
        return change == 0 ? loop.context.bufferedBytes.get() : loop.context.bufferedBytes.addAndGet(change);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (closed) {
            return;
        }
        congestion.changed();
        if (!closed && channel.isWritable()) {
            loop.tick();
            loop.wake(this);
        }
    }

    /** The exclusive connection is given up. */
    void left(BackendConnection connection) {
        congestion.left(connection);
    }

    // ---- life

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        close();
    }

    /** TLS: the end of it is the end of the connection, as a plain one's is. */
    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (closed) {
            return;
        }
        if (event instanceof SslHandshakeCompletionEvent handshake && handshake.cause() instanceof SSLException) {
            loop.counters.tlsFailures++;
        } else if (event instanceof SslCloseCompletionEvent) {
            close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Exhaustion.endIf(cause);
        if (cause instanceof DecoderException) {
            // of TLS; its text may hold what the client has sent
            LOGGER.atDebug().addKeyValue("client", id).log("closing a client: its TLS is broken");
        } else if (!(cause instanceof java.io.IOException)) {
            LOGGER.atWarn().addKeyValue("client", id).setCause(cause).log("closing a client");
        }
        close();
    }

    boolean isClosed() {
        return closed;
    }

    /** Closes when what has been written is out. */
    void closeAfterOutput() {
        if (!closed) {
            closed = true;
            channel.writeAndFlush(loop.buffer()).addListener(ChannelFutureListener.CLOSE);
            release();
        }
    }

    void close() {
        if (!closed) {
            closed = true;
            channel.close();
            release();
        }
    }

    private void release() {
        congestion.end();
        account(0);
        run = null;
        streaming = null;
        ByteBuf buffer = in;
        in = null;
        if (buffer != null && !processing) {
            buffer.release();
        } else if (buffer != null) {
            loop.eventLoop.execute(buffer::release);
        }
        session.close();
        ClientConnection last = loop.clients.removeLast();
        if (last != this) {
            loop.clients.set(index, last);
            last.index = index;
        }
        loop.context.clients.decrementAndGet();
    }

    /** The exclusive connection ended. */
    void exclusiveLost(BackendConnection connection) {
        session.connections.lost(connection);
    }
}
