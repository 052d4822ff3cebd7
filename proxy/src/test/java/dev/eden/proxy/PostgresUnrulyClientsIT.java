package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Clients that ask and do not listen, ask what nobody asks, or change their mind while they are held. */
class PostgresUnrulyClientsIT extends PostgresFixture {
    private static final int V3_2 = 3 << 16 | 2;
    private static final int SSL_REQUEST = 80877103;
    private static final int GSSENC_REQUEST = 80877104;

    @Test
    void aHeldStatementThatIsCancelledNeverRuns() throws Exception {
        start(config -> config);
        try (PgWire wire = new PgWire(proxy.port()).login(V3_2, "app", "pencil");
                Connection at = direct(source)) {
            hold();
            wire.query("CREATE TABLE changed_my_mind ()").send();
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                cancel(wire);
                return wire.answered();
            });
            assertThat(wire.answers(1)).isEqualTo("E57014 ZI");
            abort();
            wire.query("SELECT 1").send();
            assertThat(wire.answers(1)).isEqualTo("T D1 C ZI");
            assertThat(one(at, "SELECT to_regclass('changed_my_mind') IS NULL")).isEqualTo("t");
        }
    }

    private void cancel(PgWire client) throws IOException {
        try (PgWire wire = new PgWire(proxy.port())) {
            wire.send(ByteBuffer.allocate(12 + client.secret.length)
                    .putInt(12 + client.secret.length)
                    .putInt(80877102)
                    .putInt(client.pid)
                    .put(client.secret)
                    .array());
            assertThat(wire.ended()).isTrue();
        }
    }

    @Test
    void encryptionIsAskedForOnce() throws Exception {
        start(config -> config);
        try (PgWire wire = new PgWire(proxy.port())) {
            assertThat(wire.ask(GSSENC_REQUEST)).isEqualTo('N');
            assertThat(wire.ask(SSL_REQUEST)).isEqualTo('N');
            assertThat(wire.ask(GSSENC_REQUEST)).isEqualTo('E');
        }
        try (PgWire wire = new PgWire(proxy.port())) {
            assertThat(wire.ask(SSL_REQUEST)).isEqualTo('N');
            assertThat(wire.ask(SSL_REQUEST)).isEqualTo('E');
        }
    }

    /** What nobody takes is not made: the proxy's memory is not the client's. */
    @Test
    void whoDoesNotReadIsNotReadFrom() throws Exception {
        start(config -> config);
        byte[] syncs = new byte[5 * 10_000];
        for (int i = 0; i < syncs.length; i += 5) {
            syncs[i] = 'S';
            syncs[i + 4] = 4;
        }
        int rounds = 1_000;
        AtomicLong sent = new AtomicLong();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                PgWire wire = new PgWire(proxy.port()).login(V3_2, "app", "pencil")) {
            Future<?> flood = threads.submit(() -> {
                for (int i = 0; i < rounds; i++) {
                    wire.send(syncs);
                    sent.incrementAndGet();
                }
                return null;
            });
            AtomicLong before = new AtomicLong(-1);
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofSeconds(2))
                    .until(() -> flood.isDone() || before.getAndSet(sent.get()) == sent.get());
            assertThat(sent).as("of %s", rounds).hasValueLessThan(rounds);
            long stopped = sent.get();
            while (sent.get() == stopped) {
                assertThat(wire.read().status())
                        .as("it goes on where the client reads")
                        .isEqualTo('I');
            }
        }
    }
}
