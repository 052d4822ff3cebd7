package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ConnectorTest {
    /** TCP_USER_TIMEOUT would end it: the server's host answers, and says that there is no room. */
    @Test
    void aServerThatDoesNotReadIsNoLostOne() throws IOException {
        assumeThat(Epoll.isAvailable()).isTrue();
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            CompletableFuture<EpollSocketChannel> opened = new CompletableFuture<>();
            new Connector(group.next(), EpollSocketChannel.class, Duration.ofSeconds(10), 1 << 20)
                    .connect(
                            new ServerAddress("busy", "127.0.0.1", server.getLocalPort(), false),
                            new ChannelInboundHandlerAdapter() {
                                @Override
                                public void channelActive(ChannelHandlerContext context) {
                                    opened.complete((EpollSocketChannel) context.channel());
                                }
                            },
                            cause -> opened.completeExceptionally(new IOException(cause)));
            EpollSocketChannel channel = opened.join();
            assertThat(channel.config().getOption(EpollChannelOption.TCP_KEEPIDLE))
                    .isEqualTo(20);
            assertThat(channel.config().getOption(EpollChannelOption.TCP_KEEPINTVL))
                    .isEqualTo(10);
            assertThat(channel.config().getOption(EpollChannelOption.TCP_KEEPCNT))
                    .isEqualTo(4);
            assertThat(channel.config().getOption(EpollChannelOption.TCP_USER_TIMEOUT))
                    .isZero();
            channel.writeAndFlush(Unpooled.wrappedBuffer(new byte[64 << 20]));
            await().atMost(Duration.ofSeconds(60)).until(() -> channel.tcpInfo().lastAckRecv() > 500);
            assertThat(channel.isWritable()).isFalse();
            assertThat(Connector.unheardMillis(channel)).isZero();
        } finally {
            group.shutdownGracefully(0, 2, java.util.concurrent.TimeUnit.SECONDS)
                    .syncUninterruptibly();
        }
    }
}
