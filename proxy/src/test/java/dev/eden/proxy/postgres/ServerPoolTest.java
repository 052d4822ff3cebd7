package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.Backend;
import dev.eden.proxy.MemoryRouteStore;
import dev.eden.proxy.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ServerPoolTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Cancels cancels = new Cancels("p1");
    private final PeerCancels peers =
            new PeerCancels(new MemoryRouteStore(MemoryRouteStore.route(null, null)), "test", cancels);
    private final PostgresLoop loop =
            SingleLoop.of(Set.of(), cancels, peers, channel.eventLoop(), EmbeddedChannel.class, 1);
    private final ServerPool pool =
            loop.ownPool(MemoryRouteStore.backend("nowhere", 1), new Backend.Login("nobody", new Secret("nothing")), 0);

    @AfterEach
    void close() {
        peers.close();
        channel.finishAndReleaseAll();
    }

    /** As of the standby's when its route has changed while a read was compared. */
    @Test
    void whoAsksAPoolThatIsClosedIsToldSo() {
        List<String> told = new ArrayList<>();
        pool.close();
        pool.exchange("SELECT 1", outcome -> {
            ErrorMessage error = outcome.error();
            told.add(error == null ? "" : error.sqlState());
        });
        assertThat(told).containsExactly("57P01");
    }

    /** As one that is stopped: its host takes the connection. */
    @Test
    void aServerThatSaysNothingKeepsNoLogin() {
        channel.pipeline()
                .addLast(new ServerConnection(pool, new ServerLogin(pool.key, new Credential.None(), "test", null)));
        channel.pipeline().fireChannelActive();
        channel.advanceTimeBy(24, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isTrue();
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isFalse();
    }

    /** The proxy had stopped reading from the server for a client that did not read, and then that went. */
    @Test
    void theServersAnswerToTheCleaningIsRead() {
        ServerConnection connection =
                new ServerConnection(pool, new ServerLogin(pool.key, new Credential.None(), "test", null));
        channel.pipeline().addLast(connection);
        channel.pipeline().fireChannelActive();
        ByteBuf in = Unpooled.buffer();
        Message.authentication(in, 0);
        Message.parameterStatus(in, "search_path", "public");
        Message.readyForQuery(in, 'I');
        channel.writeInbound(in);
        assertThat(connection.usable()).isTrue();
        channel.advanceTimeBy(60, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(connection.usable()).isTrue();
        connection.read(false);
        pool.reclaim(connection, true);
        assertThat(connection.busy()).isTrue();
        assertThat(channel.config().isAutoRead()).isTrue();
    }
}
