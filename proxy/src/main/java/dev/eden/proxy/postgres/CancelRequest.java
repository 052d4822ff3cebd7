package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One cancel request on its way to a server: connects, asks, and waits for the server to close, which it does after it has sent the signal. */
final class CancelRequest extends ChannelInboundHandlerAdapter {
    private static final long PATIENCE_SECONDS = 10;

    private final PostgresLoop loop;
    private final ServerConnection server;
    private @Nullable Runnable done;
    private @Nullable Channel channel;

    private CancelRequest(PostgresLoop loop, ServerConnection server, Runnable done) {
        this.loop = loop;
        this.server = server;
        this.done = done;
    }

    /** Cancels what {@code server} does now; nobody else gets that connection before {@code done} is called. On the loop's thread. */
    static void send(PostgresLoop loop, ServerConnection server, Runnable done) {
        server.cancels++;
        CancelRequest request = new CancelRequest(loop, server, done);
        loop.connector.connect(server.pool.key.server(), request, _ -> request.end());
        loop.eventLoop.schedule(request::giveUp, PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        channel = context.channel();
        if (server.pool.key.server().tls()) {
            ByteBuf out = loop.buffer();
            out.writeInt(8).writeInt(Message.SSL_REQUEST);
            context.writeAndFlush(out, context.voidPromise());
        } else {
            ask(context);
        }
    }

    private void ask(ChannelHandlerContext context) {
        ByteBuf out = loop.buffer();
        out.writeInt(12 + server.secret.length).writeInt(Message.CANCEL_REQUEST).writeInt(server.pid);
        out.writeBytes(server.secret);
        context.writeAndFlush(out, context.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        boolean agreed = ((ByteBuf) message).getByte(((ByteBuf) message).readerIndex()) == 'S';
        ReferenceCountUtil.release(message);
        if (!agreed || context.pipeline().get(io.netty.handler.ssl.SslHandler.class) != null) {
            context.close();
            return;
        }
        var tls = loop.connector.tls(context.channel(), server.pool.key.server());
        context.pipeline().addFirst(tls);
        tls.handshakeFuture().addListener(future -> {
            if (future.isSuccess()) {
                ask(context);
            } else {
                context.close();
            }
        });
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }

    /** The server does not answer: the request may still arrive, so its connection must not come to another client. */
    private void giveUp() {
        if (done != null) {
            server.close();
            end();
            Channel here = channel;
            if (here != null) {
                here.close();
            }
        }
    }

    private void end() {
        Runnable then = done;
        if (then != null) {
            done = null;
            loop.tick();
            server.pool.cancelArrived(server);
            then.run();
            loop.schedule();
        }
    }
}
