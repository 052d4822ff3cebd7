package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Before the TLS of a client, until its first byte: who speaks Redis there is told in plain Redis what is wrong, where a server's own {@code tls-port}
 * hangs up without a word. Nothing of what it has sent is looked at.
 */
final class TlsOnly extends ChannelInboundHandlerAdapter {
    /** The type of a TLS record that begins a handshake. */
    private static final byte HANDSHAKE = 0x16;

    private final ProxyLoop loop;

    TlsOnly(ProxyLoop loop) {
        this.loop = loop;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (!bytes.isReadable()) {
            bytes.release();
            return;
        }
        if (bytes.getByte(bytes.readerIndex()) == HANDSHAKE) {
            context.pipeline().remove(this);
            context.fireChannelRead(bytes);
            return;
        }
        bytes.release();
        context.channel().config().setAutoRead(false);
        loop.counters.tlsFailures++;
        ByteBuf out = loop.buffer();
        RespWriter.error(out, "ERR eden: clients speak TLS here, and nothing else");
        context.writeAndFlush(out).addListener(_ -> context.close());
    }
}
