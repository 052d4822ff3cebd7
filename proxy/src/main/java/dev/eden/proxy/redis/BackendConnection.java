package dev.eden.proxy.redis;

import dev.eden.proxy.resp.ProtocolError;
import dev.eden.proxy.resp.ReplyScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to a server: requests go out in order, replies come back in order, and a ring remembers who waits. Bytes of a
 * client's reply are passed on as they arrive, neighbouring replies for one client as one slice. Shared by many clients or exclusive
 * to one ({@link #owner}). Everything happens on the event loop of its clients.
 */
final class BackendConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOGGER = LoggerFactory.getLogger(BackendConnection.class);

    final BackendPool pool;
    private final ProxyLoop loop;
    private final ReplyScanner scanner = new ReplyScanner();

    private ReplyTarget[] targets = new ReplyTarget[64];
    private long[] times = new long[64];
    private int head;
    private int size;

    private @Nullable Channel channel;
    private @Nullable CompositeByteBuf captured;
    private boolean ready;
    private boolean closed;
    private boolean writable = true;
    private int pausedBy;
    boolean shared;
    boolean dirty;
    boolean unselected;
    long serverId = -1;
    /** A {@code CLIENT UNBLOCK} for it may still be on its way: it is not used again for others. */
    volatile boolean aimedAt;

    long idleSince;
    long connectedAt;

    /** The client this connection is exclusive to; null for shared and idle ones. */
    @Nullable
    ClientConnection owner;

    /** Receives every frame, pushes included (subscribers, MONITOR); null in the normal case. */
    @Nullable
    FrameTap tap;

    /** Sees whole frames before any waiting target does. */
    interface FrameTap {
        /** True when it took the frame over, reference and all; false when the frame is the reply to the oldest request. */
        boolean frame(ByteBuf frame, byte type);
    }

    BackendConnection(BackendPool pool) {
        this.pool = pool;
        this.loop = pool.loop;
    }

    boolean usable() {
        return ready && !closed;
    }

    boolean isClosed() {
        return closed;
    }

    boolean writable() {
        return writable;
    }

    int pending() {
        return size;
    }

    /** Somebody takes no more of what comes: some of it may not have been read. */
    boolean paused() {
        return pausedBy > 0;
    }

    /** A reply or push has come by half; where there is no tap, that half has been passed on. */
    boolean midReply() {
        return !scanner.atStart();
    }

    void markReady() {
        ready = true;
    }

    // ---- requests

    /** Remembers who gets the next reply; the request's bytes follow by {@link #write}. */
    void expect(ReplyTarget target, long time) {
        if (size == targets.length) {
            grow();
        }
        int at = (head + size) & (targets.length - 1);
        targets[at] = target;
        times[at] = time;
        size++;
    }

    /** Hands bytes to the channel; they go to the socket at the end of the loop's turn. Takes over the reference. */
    void write(ByteBuf bytes) {
        Channel open = channel;
        if (open == null || closed) {
            bytes.release();
            return;
        }
        open.write(bytes, open.voidPromise());
        if (!dirty) {
            dirty = true;
            loop.flushLater(this);
        }
    }

    void flush() {
        dirty = false;
        if (channel != null) {
            channel.flush();
        }
    }

    private void grow() {
        ReplyTarget[] moreTargets = new ReplyTarget[targets.length * 2];
        long[] moreTimes = new long[targets.length * 2];
        for (int i = 0; i < size; i++) {
            int from = (head + i) & (targets.length - 1);
            moreTargets[i] = targets[from];
            moreTimes[i] = times[from];
        }
        targets = moreTargets;
        times = moreTimes;
        head = 0;
    }

    // ---- replies

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (closed) {
            in.release();
            return;
        }
        long now = loop.tick();
        int at = in.readerIndex();
        int end = in.writerIndex();
        ClientConnection run = null;
        int runStart = at;
        try {
            while (at < end) {
                boolean outOfBand = false;
                if (tap == null) {
                    byte type = scanner.atStart() ? in.getByte(at) : scanner.type();
                    outOfBand = type == '>';
                }
                ReplyTarget target = tap != null ? null : outOfBand ? owner : size == 0 ? null : targets[head];
                if (tap == null && target == null && !outOfBand) {
                    throw new ProtocolError("reply without a request");
                }
                int from = at;
                at = scanner.scan(in, at, end);
                boolean done = scanner.complete();
                if (target instanceof ClientConnection client) {
                    if (client != run) {
                        if (run != null) {
                            run.output(in.retainedSlice(runStart, from - runStart));
                        }
                        run = client;
                        runStart = from;
                    }
                    if (done && !outOfBand) {
                        long sent = times[head];
                        pop();
                        client.replied(this, sent, now, scanner.type());
                    }
                } else {
                    if (run != null) {
                        run.output(in.retainedSlice(runStart, from - runStart));
                        run = null;
                    }
                    collect(in, from, at - from, done, target);
                }
                if (closed) {
                    break;
                }
            }
            if (run != null) {
                if (runStart == in.readerIndex()) {
                    run.output(in.retain());
                } else {
                    run.output(in.retainedSlice(runStart, at - runStart));
                }
            }
        } catch (ProtocolError e) {
            LOGGER.atWarn()
                    .addKeyValue("endpoint", pool.key.server().endpoint())
                    .log("closing a backend connection: {}", e.getMessage());
            close();
        } finally {
            in.release();
        }
    }

    /** Collects a reply for a target that wants it whole; {@code target} null means a tap or a push nobody asked for. */
    private void collect(ByteBuf in, int from, int length, boolean done, @Nullable ReplyTarget target) {
        if (!done || captured != null) {
            if (captured == null) {
                captured = in.alloc().compositeBuffer(1024);
            }
            captured.addComponent(true, in.retainedSlice(from, length));
            if (!done) {
                return;
            }
        }
        ByteBuf frame = captured != null ? captured : in.retainedSlice(from, length);
        captured = null;
        FrameTap listening = tap;
        if (listening != null) {
            if (listening.frame(frame, scanner.type())) {
                return;
            }
            if (size == 0) {
                frame.release();
                return;
            }
            target = targets[head];
            if (target instanceof ClientConnection client) {
                client.output(frame);
                long sent = times[head];
                pop();
                client.replied(this, sent, loop.now, scanner.type());
                return;
            }
        }
        if (target == null) {
            frame.release();
            return;
        }
        pop();
        target.reply(frame);
    }

    /** The oldest request has been answered by frames that the tap took. */
    void answerOldest() {
        ReplyTarget target = targets[head];
        pop();
        target.reply(Unpooled.EMPTY_BUFFER);
    }

    private void pop() {
        targets[head] = NOBODY;
        head = (head + 1) & (targets.length - 1);
        size--;
    }

    private static final ReplyTarget NOBODY = new ReplyTarget() {
        @Override
        public void reply(ByteBuf frame) {
            frame.release();
        }

        @Override
        public void lost() {}
    };

    /** A target for replies that nobody needs. */
    static ReplyTarget nobody() {
        return NOBODY;
    }

    // ---- life

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
        if (closed) {
            context.close(); // nobody wants it any more
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (!closed) {
            connectedAt = System.nanoTime();
            Handshake.start(this, loop);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        writable = context.channel().isWritable();
        if (writable) {
            loop.wakeAll();
        }
    }

    /** A client can't take more: no more is read from the server until every such client can. */
    void pause() {
        if (pausedBy++ == 0 && channel != null) {
            channel.config().setAutoRead(false);
        }
    }

    void unpause() {
        if (--pausedBy == 0 && channel != null) {
            channel.config().setAutoRead(true);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Exhaustion.endIf(cause);
        LOGGER.atDebug()
                .addKeyValue("endpoint", pool.key.server().endpoint())
                .log("backend connection failed: {}", cause.toString());
        close();
    }

    /** Ends the connection; everybody who waits is told that the reply is lost. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        boolean wasReady = ready;
        ready = false;
        if (captured != null) {
            captured.release();
            captured = null;
        }
        if (channel != null) {
            channel.close();
        }
        pool.closed(this, wasReady);
        while (size > 0) {
            ReplyTarget target = targets[head];
            pop();
            target.lost();
        }
        ClientConnection client = owner;
        if (client != null) {
            owner = null;
            client.exclusiveLost(this);
        }
    }
}
