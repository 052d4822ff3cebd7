package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Over connections that clients share, what a reload of the server's configuration changes reaches everyone who has not set it, and nobody else. */
class PostgresReloadIT extends PostgresFixture {
    private static final String READ_ONLY = "default_transaction_read_only";

    private final List<PgWire> open = new ArrayList<>();

    @SuppressWarnings("NullAway.Init")
    private Connection owner;

    @BeforeEach
    void startProxy() throws Exception {
        owner = direct(source);
        run(owner, "SET default_transaction_read_only = off");
        run(owner, "CREATE TABLE IF NOT EXISTS kept (i int)");
        run(owner, "GRANT ALL ON kept TO app");
        pool(3);
    }

    private void pool(int size) {
        end();
        start(config -> config.withPool(Pooling.TRANSACTION, size).withEventLoops(1));
    }

    @AfterEach
    void asBefore() throws Exception {
        for (PgWire each : open) {
            each.close();
        }
        open.clear();
        run(owner, "ALTER ROLE app RESET ALL");
        run(owner, "ALTER SYSTEM RESET ALL");
        reload();
        owner.close();
    }

    private PgWire wire(String... settings) throws IOException {
        PgWire wire = new PgWire(proxy.port()).login(3 << 16, "app", "pencil", settings);
        open.add(wire);
        return wire;
    }

    private static String ask(PgWire wire, String... texts) throws IOException {
        String answers = "";
        for (String text : texts) {
            wire.query(text).send();
            answers = wire.answers(1);
        }
        return answers;
    }

    private void set(String name, String value) throws SQLException {
        run(owner, "ALTER SYSTEM SET " + name + " = '" + value + "'");
        reload();
    }

    private void reset(String name) throws SQLException {
        run(owner, "ALTER SYSTEM RESET " + name);
        reload();
    }

    /** The server's processes have been told, this one's session among them; what they do before they read on. */
    private void reload() throws SQLException {
        String before = one(owner, "SELECT pg_conf_load_time()::text");
        run(owner, "SELECT pg_reload_conf()");
        await().atMost(Duration.ofSeconds(20))
                .until(() -> !one(owner, "SELECT pg_conf_load_time()::text").equals(before));
    }

    /** Each in a transaction of its own, all at the same time: so all of the pool's connections are used. */
    private void useAll(List<PgWire> clients) throws IOException {
        for (PgWire each : clients) {
            each.query("BEGIN").query("SELECT 1").send();
            assertThat(each.answers(2)).isEqualTo("C ZT T D1 C ZT");
        }
        for (PgWire each : clients) {
            assertThat(ask(each, "COMMIT")).isEqualTo("C ZI");
        }
    }

    private static void expectWrites(List<PgWire> clients, boolean allowed) throws IOException {
        for (int round = 0; round < 2; round++) {
            for (PgWire each : clients) {
                assertThat(ask(each, "INSERT INTO kept VALUES (1)")).isEqualTo(allowed ? "C ZI" : "E25006 ZI");
                assertThat(each.parameters).containsEntry(READ_ONLY, allowed ? "off" : "on");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void everyoneFollows(int size) throws Exception {
        pool(size);
        List<PgWire> clients = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            clients.add(wire());
        }
        useAll(clients);
        for (int i = 0; i < 5; i++) {
            clients.add(wire());
        }
        expectWrites(clients, true);
        set(READ_ONLY, "on");
        expectWrites(clients, false);
        clients.add(wire());
        assertThat(clients.getLast().parameters).as("greeting").containsEntry(READ_ONLY, "on");
        expectWrites(clients, false);
        reset(READ_ONLY);
        expectWrites(clients, true);
        clients.add(wire());
        assertThat(clients.getLast().parameters).as("greeting").containsEntry(READ_ONLY, "off");
        expectWrites(clients, true);
    }

    /** The first session on the server begins with what is taken back later. */
    @Test
    void whatTheFirstSessionBeganWithIsNotKept() throws Exception {
        set(READ_ONLY, "on");
        List<PgWire> clients = new ArrayList<>(List.of(wire(), wire()));
        expectWrites(clients, false);
        reset(READ_ONLY);
        clients.add(wire());
        expectWrites(clients, true);
        for (PgWire each : clients) {
            assertThat(ask(each, "RESET ALL", "DISCARD ALL")).isEqualTo("C ZI");
        }
        expectWrites(clients, true);
    }

    /** More connections than were open are needed for the first time after it. */
    @Test
    void whoGetsANewSessionFollowsToo() throws Exception {
        List<PgWire> clients = List.of(wire(), wire(), wire());
        for (PgWire each : clients) {
            assertThat(ask(each, "SELECT 1")).isEqualTo("T D1 C ZI");
        }
        set("TimeZone", "Asia/Tokyo");
        for (PgWire each : clients) {
            assertThat(ask(each, "BEGIN", "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZT");
        }
        for (PgWire each : clients) {
            assertThat(ask(each, "COMMIT", "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
            assertThat(each.parameters).containsEntry("TimeZone", "Asia/Tokyo");
        }
    }

    /** By a text, by the startup packet, by a function that no text shows; also what is as the server has it anyway. */
    @Test
    void whoHasSetItKeepsIt() throws Exception {
        run(
                owner,
                "CREATE OR REPLACE FUNCTION hidden() RETURNS text LANGUAGE sql AS $$SELECT set_config('TimeZone', 'Asia/Seoul', false)$$");
        pool(1);
        PgWire follows = wire();
        String former = String.valueOf(follows.parameters.get("TimeZone"));
        PgWire same = wire();
        assertThat(ask(same, "SET TimeZone = '" + former + "'")).isEqualTo("C ZI");
        PgWire text = wire();
        assertThat(ask(text, "SET TimeZone = 'Europe/Oslo'")).isEqualTo("C ZI");
        PgWire packet = wire("TimeZone", "Europe/Rome");
        PgWire samePacket = wire("TimeZone", former);
        PgWire function = wire();
        assertThat(ask(function, "SELECT hidden()")).isEqualTo("T DAsia/Seoul C ZI");
        PgWire local = wire();
        assertThat(ask(local, "BEGIN", "SET LOCAL TimeZone = 'Europe/Bern'", "COMMIT"))
                .isEqualTo("C ZI");
        set("TimeZone", "Asia/Tokyo");
        for (int round = 0; round < 2; round++) {
            assertThat(ask(same, "SHOW TimeZone")).isEqualTo("T D" + former + " C ZI");
            assertThat(ask(text, "SHOW TimeZone")).isEqualTo("T DEurope/Oslo C ZI");
            assertThat(ask(packet, "SHOW TimeZone")).isEqualTo("T DEurope/Rome C ZI");
            assertThat(ask(samePacket, "SHOW TimeZone")).isEqualTo("T D" + former + " C ZI");
            assertThat(ask(function, "SHOW TimeZone")).isEqualTo("T DAsia/Seoul C ZI");
            assertThat(ask(follows, "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
            assertThat(ask(local, "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
        }
        for (PgWire each : List.of(same, text, function)) {
            assertThat(ask(each, "RESET TimeZone", "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
            assertThat(each.parameters).containsEntry("TimeZone", "Asia/Tokyo");
        }
        assertThat(ask(packet, "RESET TimeZone", "SHOW TimeZone")).isEqualTo("T DEurope/Rome C ZI");
        reset("TimeZone");
        for (PgWire each : List.of(same, text, function, follows, local)) {
            assertThat(ask(each, "SHOW TimeZone")).isEqualTo("T D" + former + " C ZI");
            assertThat(each.parameters).containsEntry("TimeZone", former);
        }
        assertThat(ask(packet, "SHOW TimeZone")).isEqualTo("T DEurope/Rome C ZI");
    }

    /** The server tells both at the end of the same request. */
    @Test
    void duringAChangeOfTheClientsOwn() throws Exception {
        pool(1);
        PgWire one = wire();
        PgWire other = wire();
        String former = String.valueOf(one.parameters.get("TimeZone"));
        assertThat(ask(one, "BEGIN", "SET LOCAL TimeZone = 'Europe/Oslo'")).isEqualTo("C ZT");
        set("TimeZone", "Asia/Tokyo");
        assertThat(ask(one, "SHOW TimeZone")).isEqualTo("T DEurope/Oslo C ZT");
        assertThat(ask(one, "COMMIT", "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
        assertThat(ask(other, "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
        assertThat(ask(one, "SET TimeZone = 'Europe/Oslo'", "BEGIN", "RESET TimeZone"))
                .isEqualTo("C ZT");
        reset("TimeZone");
        assertThat(ask(one, "ROLLBACK", "SHOW TimeZone")).isEqualTo("T DEurope/Oslo C ZI");
        assertThat(ask(other, "SHOW TimeZone")).isEqualTo("T D" + former + " C ZI");
        assertThat(ask(one, "SHOW TimeZone")).isEqualTo("T DEurope/Oslo C ZI");
        set("TimeZone", "Asia/Tokyo");
        assertThat(ask(one, "SET DateStyle = 'ISO, DMY'", "SHOW TimeZone")).isEqualTo("T DEurope/Oslo C ZI");
        assertThat(ask(other, "SHOW DateStyle")).isEqualTo("T DISO, MDY C ZI");
        assertThat(ask(other, "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
        assertThat(ask(one, "SHOW DateStyle")).isEqualTo("T DISO, DMY C ZI");
    }

    /** It holds for sessions that begin later, and a client goes on as it was on whichever of them. */
    @Test
    void whatARoleBeginsWithIsTheNextOnes() throws Exception {
        PgWire before = wire();
        String former = String.valueOf(before.parameters.get("TimeZone"));
        assertThat(ask(before, "BEGIN", "SHOW TimeZone")).isEqualTo("T D" + former + " C ZT");
        run(owner, "ALTER ROLE app SET TimeZone = 'Asia/Tokyo'");
        PgWire after = wire();
        assertThat(ask(after, "BEGIN", "SHOW TimeZone")).isEqualTo("T D" + former + " C ZT");
        PgWire late = wire();
        for (int i = 0; i < 2; i++) {
            assertThat(ask(late, "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
            assertThat(ask(before, "COMMIT", "SHOW TimeZone")).isEqualTo("T D" + former + " C ZI");
        }
    }

    /** Nobody expects to be told between two requests. */
    @Test
    void itIsToldAtTheEndOfARequest() throws Exception {
        pool(1);
        PgWire pinned = wire();
        assertThat(ask(pinned, "LISTEN channel")).isEqualTo("C ZI");
        PgWire other = wire();
        set("TimeZone", "Asia/Tokyo");
        other.query("SHOW TimeZone").send(); // waits, until the server has been asked what the first has
        assertThat(ask(pinned, "UNLISTEN *")).isEqualTo("C ZI");
        assertThat(other.answers(1)).isEqualTo("T DAsia/Tokyo C ZI");
        assertThat(ask(pinned, "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
        assertThat(pinned.parameters).containsEntry("TimeZone", "Asia/Tokyo");
        assertThat(pinned.answered()).isFalse();
    }
}
