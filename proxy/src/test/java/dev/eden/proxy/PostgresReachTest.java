package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** A proxy says that it is armed when the standby's database answers it, and not before. */
class PostgresReachTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger(StandbyReach.class);
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();
    private final MemoryRouteStore store = new MemoryRouteStore(MemoryRouteStore.route(null, null));
    private @Nullable ServerSocket standby;
    private @Nullable PostgresProxy proxy;

    @BeforeEach
    void listen() {
        said.list = new CopyOnWriteArrayList<>();
        said.start();
        logger.addAppender(said);
    }

    @AfterEach
    void close() throws IOException {
        logger.detachAppender(said);
        PostgresProxy running = proxy;
        if (running != null) {
            store.stable(); // else it would wait for the attempt's end
            running.close();
        }
        ServerSocket open = standby;
        if (open != null) {
            open.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoseStandbyRefusesIsNotArmedUntilItDoes(PostgresProxyConfig.Pooling pooling) throws IOException {
        int port = open(0).getLocalPort();
        close(standby);
        arm(port, true, pooling);
        await().atMost(Duration.ofSeconds(60)).until(() -> !warnings().isEmpty());
        assertThat(warnings().getFirst())
                .contains("not armed: target at 127.0.0.1:" + port + " does not answer this proxy (08001 ")
                .contains("pg_hba.conf");
        assertThat(store.acknowledged(1, Step.ARMED)).isFalse();
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(1, Step.UNREACHED));
        assertThat(store.acknowledgements.getFirst().detail())
                .startsWith("{\"why\":\"target does not answer it (08001 ")
                .doesNotContain("127.0.0.1");

        answer(open(port));
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(1, Step.ARMED));
        assertThat(warnings()).as("of many tries").hasSize(1);
    }

    /** A firewall that drops, a host that is stopped. */
    @Test
    void whoseStandbySaysNothingIsNotArmed() throws IOException {
        arm(open(0).getLocalPort(), true, PostgresProxyConfig.Pooling.TRANSACTION);
        await().atMost(Duration.ofSeconds(60)).until(() -> !warnings().isEmpty());
        assertThat(warnings().getFirst()).contains("(no answer within 2500 ms)");
        assertThat(store.acknowledged(1, Step.ARMED)).isFalse();
    }

    @Test
    void whoseStandbyAnswersIsArmed() throws IOException {
        ServerSocket there = open(0);
        answer(there);
        arm(there.getLocalPort(), true, PostgresProxyConfig.Pooling.TRANSACTION);
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(1, Step.ARMED));
        assertThat(warnings()).isEmpty();
    }

    /** Eight round trips of 150 ms and more. */
    @Test
    void whoseStandbyIsFarAwayIsArmed() throws IOException {
        ServerSocket there = open(0);
        answer(there, Duration.ofMillis(900));
        arm(there.getLocalPort(), true, PostgresProxyConfig.Pooling.TRANSACTION);
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(1, Step.ARMED));
        assertThat(warnings()).isEmpty();
    }

    /** Nobody has told the proxy how to log in: it goes on as without this. */
    @Test
    void whoCannotAskIsArmed() throws IOException {
        arm(open(0).getLocalPort(), false, PostgresProxyConfig.Pooling.TRANSACTION);
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(1, Step.ARMED));
        assertThat(warnings()).isEmpty();
    }

    private void arm(int port, boolean login, PostgresProxyConfig.Pooling pooling) {
        Backend target = new Backend(
                "target",
                "127.0.0.1",
                port,
                false,
                null,
                login ? new Backend.Login("eden", new Secret("eden")) : null,
                "eden");
        store.change(_ -> MemoryRouteStore.route(MemoryRouteStore.backend("source", 1), target));
        proxy = PostgresProxy.start(
                PostgresProxyConfig.of(
                                new ProxyIdentity("p1", "1", "127.0.0.1", "test"),
                                "test",
                                new InetSocketAddress("127.0.0.1", 0))
                        .withPool(pooling, 2),
                store,
                new SimpleMeterRegistry());
        store.state(RouteState.ARMED, 1, 0);
    }

    private List<String> warnings() {
        return said.list.stream()
                .filter(event -> event.getLevel() == Level.WARN)
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains("not armed"))
                .toList();
    }

    private ServerSocket open(int port) throws IOException {
        ServerSocket socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port));
        standby = socket;
        return socket;
    }

    private static void close(@Nullable ServerSocket socket) throws IOException {
        if (socket != null) {
            socket.close();
        }
    }

    /** Lets everybody in and answers every query with nothing. */
    private static void answer(ServerSocket server) {
        answer(server, Duration.ZERO);
    }

    private static void answer(ServerSocket server, Duration late) {
        Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    Socket client = server.accept();
                    Thread.ofVirtual().start(() -> serve(client, late));
                }
            } catch (IOException closed) {
                // the test is over
            }
        });
    }

    private static void serve(Socket client, Duration late) {
        try (client) {
            DataInputStream in = new DataInputStream(client.getInputStream());
            DataOutputStream out = new DataOutputStream(client.getOutputStream());
            in.skipNBytes(in.readInt() - 4);
            pause(late);
            message(out, 'R', new byte[4]);
            message(out, 'S', "search_path\0public\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            message(out, 'K', new byte[8]);
            message(out, 'Z', new byte[] {'I'});
            while (true) {
                byte type = in.readByte();
                in.skipNBytes(in.readInt() - 4);
                if (type == 'Q') {
                    pause(late);
                    message(out, 'C', "SELECT 0\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                    message(out, 'Z', new byte[] {'I'});
                }
            }
        } catch (IOException gone) {
            // it has been told what it wanted
        }
    }

    private static void pause(Duration time) {
        java.util.concurrent.locks.LockSupport.parkNanos(time.toNanos());
    }

    private static void message(DataOutputStream out, char type, byte[] body) throws IOException {
        out.writeByte(type);
        out.writeInt(body.length + 4);
        out.write(body);
        out.flush();
    }
}
