package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.EOFException;
import java.io.IOException;
import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A message that has come in part: nothing of the proxy's own gets into it. */
class PostgresCutIT extends PostgresFixture {
    private Relay relay;

    @BeforeEach
    void behindARelay() throws IOException {
        relay = new Relay(source.port());
        Backend there = new Backend(
                "source",
                "127.0.0.1",
                relay.port(),
                false,
                null,
                new Backend.Login(source.user(), new Secret(source.password())),
                "eden");
        store = new MemoryRouteStore(MemoryRouteStore.route(there, backend("target", target)));
        proxy = PostgresProxy.start(
                config("p1").withPool(Pooling.TRANSACTION, 1).withEventLoops(1), store, new SimpleMeterRegistry());
    }

    @AfterEach
    void closeRelay() throws IOException {
        relay.close();
    }

    private PgWire wire() throws IOException {
        return new PgWire(proxy.port()).login(3 << 16, "app", "pencil");
    }

    @Test
    void whatEndsInTheMiddleOfARowIsNoRow() throws IOException {
        try (PgWire wire = wire()) {
            wire.query("SELECT 'C' || 'UT' || repeat('y', 40)").send();
            assertThat(wire.read().type()).isEqualTo('T');
            assertThatThrownBy(wire::read).isInstanceOf(EOFException.class);
        }
        try (PgWire wire = wire()) {
            wire.query("SELECT generate_series(1, 3)").send();
            assertThat(wire.answers(1)).isEqualTo("T D1 D2 D3 C ZI");
        }
    }

    @Test
    void whoEndsBetweenMessagesIsToldWhy() throws Exception {
        try (PgWire wire = wire();
                Connection at = direct(source)) {
            wire.query("SELECT pg_sleep(60)").send();
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one(
                                    at,
                                    "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")
                            .equals("1"));
            relay.close();
            assertThat(wire.read().sqlState()).isEqualTo("08006");
            assertThat(wire.ended()).isTrue();
        }
    }

    @Test
    void whatTheProxyAnswersWaitsForTheRestOfANotification() throws Exception {
        try (PgWire wire = wire();
                Connection at = direct(source)) {
            wire.query("LISTEN here").parse("s", "SELECT 'known'").sync().send();
            assertThat(wire.answers(2)).isEqualTo("C ZI 1 ZI");
            run(at, "NOTIFY here, 'some words, STAY and others'");
            await().atMost(Duration.ofSeconds(30)).until(() -> relay.stays);
            long asked = relay.asked.get();
            wire.parse("t", "SELECT 'known'").sync().send();
            await().atMost(Duration.ofSeconds(30)).until(() -> relay.asked.get() > asked);
            relay.goOn();
            PgWire.Frame heard = wire.read();
            while (heard.type() == '1') {
                heard = wire.read(); // whole answers may come first
            }
            assertThat(heard.type()).isEqualTo('A');
            assertThat(heard.text()).contains("some words, STAY and others");
        }
    }
}
