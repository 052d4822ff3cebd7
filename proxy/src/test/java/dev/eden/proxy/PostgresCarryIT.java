package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a session is made again on the other side, and what must not be: each server keeps what it was given. */
class PostgresCarryIT extends PostgresFixture {
    private static final int V3_0 = 3 << 16;

    private Connection atSource;
    private Connection atTarget;

    @BeforeEach
    void connect() throws SQLException {
        atSource = direct(source);
        atTarget = direct(target);
        for (Connection at : List.of(atSource, atTarget)) {
            run(at, "DROP TABLE IF EXISTS entries");
            run(at, "CREATE TABLE entries (id bigint)");
            run(at, "GRANT ALL ON entries TO app");
        }
    }

    @AfterEach
    void disconnect() throws SQLException {
        atSource.close();
        atTarget.close();
    }

    private PgWire wire(String... more) throws IOException {
        return new PgWire(proxy.port()).login(V3_0, "app", "pencil", more);
    }

    private static String ask(PgWire wire, String sql) throws IOException {
        wire.query(sql).send();
        return wire.answers(1);
    }

    private static String ask(PgWire wire, String sql, Charset charset) throws IOException {
        wire.add('Q', (sql + "\0").getBytes(charset)).send();
        return wire.answers(1);
    }

    private void awaitListener() {
        await().atMost(Duration.ofSeconds(30))
                .until(() -> one(
                                atTarget,
                                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%LISTEN%' AND usename = 'app'")
                        .equals("1"));
    }

    /** A server keeps the whole text that a PREPARE stood in. */
    @Test
    void whatStoodBesideAPrepareDoesNotRunAgain() throws Exception {
        start(config -> config);
        try (PgWire wire = wire()) {
            assertThat(ask(wire, "PREPARE p(int) AS INSERT INTO entries VALUES ($1); EXECUTE p(1)"))
                    .isEqualTo("C C ZI");
            assertThat(ask(wire, "INSERT INTO entries VALUES (2); PREPARE q AS SELECT ';'"))
                    .isEqualTo("C C ZI");
            assertThat(ask(wire, "PREPARE a AS SELECT 5; PREPARE \"B\" AS SELECT 6 -- of two"))
                    .isEqualTo("C C ZI");
            assertThat(ask(wire, "LISTEN news")).isEqualTo("C ZI");
            hold();
            assertThat(detail()).doesNotContain("endings");
            flip();
            awaitListener();
            run(atTarget, "NOTIFY news, 'heard'");
            PgWire.Frame heard = wire.read();
            assertThat(heard.type()).isEqualTo('A');
            assertThat(one(atTarget, "SELECT count(*) FROM entries")).isEqualTo("0");
            assertThat(ask(wire, "EXECUTE p(3); EXECUTE q; EXECUTE a; EXECUTE \"B\""))
                    .isEqualTo("C T D; C T D5 C T D6 C ZI");
            assertThat(one(atTarget, "SELECT string_agg(id::text, ',') FROM entries"))
                    .isEqualTo("3");
            assertThat(one(atSource, "SELECT string_agg(id::text, ',' ORDER BY id) FROM entries"))
                    .isEqualTo("1,2");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PREPARE p AS SELECT 1; DEALLOCATE p; PREPARE p AS SELECT 2",
                "PREPARE p AS SELECT '\\''; INSERT INTO entries VALUES (2); SELECT '\\''",
            })
    void aPrepareThatTheTextDoesNotTellEndsTheSession(String sql) throws Exception {
        start(config -> config);
        try (PgWire wire = wire()) {
            assertThat(ask(wire, "SET standard_conforming_strings = off")).isEqualTo("C ZI");
            assertThat(ask(wire, sql)).doesNotContain("E").endsWith("C ZI");
            hold();
            assertThat(detail()).contains("\"endings\":{\"prepare\":1}");
            flip();
            assertThat(one(atTarget, "SELECT count(*) FROM entries")).isEqualTo("0");
        }
    }

    /** What the proxy asks of a session, and makes again in another, is in that session's encoding. */
    @ParameterizedTest
    @ValueSource(strings = {"LATIN1", "WIN1252", "UTF8", "SQL_ASCII"})
    void whatIsNoAsciiIsCarriedInTheClientsEncoding(String encoding) throws Exception {
        Charset charset = switch (encoding) {
            case "LATIN1" -> StandardCharsets.ISO_8859_1;
            case "WIN1252" -> Charset.forName("windows-1252");
            default -> StandardCharsets.UTF_8;
        };
        start(config -> config);
        try (PgWire wire = wire("client_encoding", encoding)) {
            assertThat(ask(wire, "SET app.name = 'Müller'", charset)).isEqualTo("C ZI");
            assertThat(ask(wire, "PREPARE \"é\" AS SELECT ascii('é')", charset)).isEqualTo("C ZI");
            assertThat(ask(wire, "LISTEN \"köln\"", charset)).isEqualTo("C ZI");
            assertThat(ask(wire, "SET search_path = \"schöma\", public", charset))
                    .startsWith("C ZI");
            hold();
            assertThat(detail()).doesNotContain("endings");
            flip();
            awaitListener();
            run(atTarget, "NOTIFY \"köln\", 'heard'");
            assertThat(wire.read().type()).isEqualTo('A');
            assertThat(ask(wire, "SELECT ascii(substr(current_setting('app.name'), 2))"))
                    .isEqualTo("T D252 C ZI");
            assertThat(ask(wire, "EXECUTE \"é\"", charset)).isEqualTo("T D233 C ZI");
            assertThat(ask(wire, "SELECT ascii(substr(current_setting('search_path'), 5))"))
                    .isEqualTo("T D246 C ZI");
            assertThat(ask(wire, "SHOW client_encoding")).isEqualTo("T D" + encoding + " C ZI");
        }
    }

    /** What the proxy cannot read it cannot make again. */
    @Test
    void whatTheProxyCannotReadEndsTheSession() throws Exception {
        start(config -> config);
        try (PgWire wire = wire("client_encoding", "EUC_TW");
                PgWire plain = wire("client_encoding", "EUC_TW")) {
            assertThat(ask(wire, "SET app.name = '\u4e2d'", Charset.forName("x-EUC-TW")))
                    .isEqualTo("C ZI");
            assertThat(ask(plain, "SET app.name = 'a'")).isEqualTo("C ZI");
            hold();
            assertThat(detail()).contains("\"endings\":{\"setting\":1}");
            flip();
            assertThat(wire.ended()).isTrue();
            assertThat(ask(plain, "SHOW app.name")).isEqualTo("T Da C ZI");
        }
    }
}
