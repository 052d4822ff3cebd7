package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Over a connection that clients share, RESET brings back what the client's own startup packet asked for, before anything else runs there. */
class PostgresResetIT extends PostgresFixture {
    @BeforeEach
    void startProxy() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
    }

    private PgWire wire(String... settings) throws IOException {
        return new PgWire(proxy.port()).login(3 << 16, "app", "pencil", settings);
    }

    private PgWire inTokyo() throws IOException {
        return wire("TimeZone", "Asia/Tokyo", "search_path", "pg_catalog");
    }

    private static String ask(PgWire wire, String... texts) throws IOException {
        for (String text : texts) {
            wire.query(text);
        }
        wire.send();
        return wire.answers(texts.length);
    }

    /** As a driver sends what it resets for the next user of its connection together with that one's first statement. */
    @ParameterizedTest
    @ValueSource(
            strings = {"RESET ALL", "SET SESSION AUTHORIZATION DEFAULT;RESET ALL;UNLISTEN *;DISCARD TEMP", "DISCARD ALL"
            })
    void whatIsSentTogetherWithIt(String reset) throws Exception {
        try (PgWire one = inTokyo();
                PgWire other = wire()) {
            assertThat(ask(one, "SET search_path = public")).isEqualTo("C ZI");
            assertThat(ask(other, "SELECT 1")).isEqualTo("T D1 C ZI");
            assertThat(ask(one, reset, "SHOW search_path", "SHOW TimeZone"))
                    .endsWith("ZI T Dpg_catalog C ZI T DAsia/Tokyo C ZI");
            one.query(reset)
                    .parse("", "SHOW search_path")
                    .bind("", "")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(one.answers(2)).endsWith("ZI 1 2 Dpg_catalog C ZI");
            assertThat(ask(other, "SHOW search_path")).isEqualTo("T D\"$user\", public C ZI");
        }
    }

    @Test
    void withinATransaction() throws Exception {
        try (PgWire one = inTokyo()) {
            assertThat(ask(one, "BEGIN", "SET search_path = public", "RESET search_path", "SHOW search_path"))
                    .isEqualTo("C ZT C ZT C ZT T Dpg_catalog C ZT");
            assertThat(ask(one, "SET TIME ZONE DEFAULT", "SHOW TimeZone", "COMMIT", "SHOW TimeZone"))
                    .isEqualTo("C ZT T DAsia/Tokyo C ZT C ZI T DAsia/Tokyo C ZI");
        }
    }

    /** What the proxy does within a transaction takes no snapshot of it. */
    @Test
    void beforeATransactionsFirstQuery() throws Exception {
        try (PgWire one = inTokyo()) {
            assertThat(ask(
                            one,
                            "BEGIN",
                            "RESET TimeZone",
                            "RESET search_path",
                            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                            "SHOW search_path",
                            "COMMIT"))
                    .isEqualTo("C ZT C ZT C ZT C ZT T Dpg_catalog C ZT C ZI");
        }
        try (PgWire quoted = wire("search_path", "\"$user\", PG_catalog, \"a, b\"\"c\"")) {
            assertThat(ask(quoted, "BEGIN", "SET search_path = public", "RESET search_path", "SELECT current_schema()"))
                    .isEqualTo("C ZT C ZT C ZT T Dpg_catalog C ZT");
        }
    }

    /** Another client's plan of the same text has constants of its own. */
    @Test
    void preparedStatementsAreReadAnew() throws Exception {
        String text = "SELECT (timestamptz '2020-01-01 00:00' AT TIME ZONE 'UTC')::text";
        try (PgWire other = wire("TimeZone", "UTC");
                PgWire one = inTokyo()) {
            other.parse("a", text).bind("", "a").execute("", 0).sync().send();
            assertThat(other.answers(1)).isEqualTo("1 2 D2020-01-01 00:00:00 C ZI");
            one.parse("b", text).sync().send();
            assertThat(one.answers(1)).isEqualTo("1 ZI");
            one.query("BEGIN")
                    .query("RESET TimeZone")
                    .bind("", "b")
                    .execute("", 0)
                    .sync();
            one.send();
            assertThat(one.answers(3)).isEqualTo("C ZT C ZT 2 D2019-12-31 15:00:00 C ZT");
        }
    }

    /** The server skips it for an error that comes before it. */
    @Test
    void oneThatIsSkippedKeepsNothingWaiting() throws Exception {
        try (PgWire one = inTokyo()) {
            one.parse("", "SELECT wrong")
                    .query("RESET TimeZone")
                    .parse("", "SELECT 1")
                    .bind("", "")
                    .execute("", 0);
            one.sync().send();
            assertThat(one.answers(1)).isEqualTo("E42703 ZI");
            assertThat(ask(one, "SHOW TimeZone")).isEqualTo("T DAsia/Tokyo C ZI");
        }
    }

    @Test
    void whatTheClientIsToldIsWhatItHas() throws Exception {
        try (PgWire one = inTokyo()) {
            assertThat(ask(one, "SET TimeZone = 'UTC'")).isEqualTo("C ZI");
            assertThat(one.parameters).containsEntry("TimeZone", "UTC");
            assertThat(ask(one, "RESET ALL")).isEqualTo("C ZI");
            assertThat(one.parameters).as("before ReadyForQuery").containsEntry("TimeZone", "Asia/Tokyo");
            assertThat(one.parameters).containsEntry("client_encoding", "UTF8");
        }
    }

    /** pgjdbc understands nothing but notifications and errors while it waits for them. */
    @ParameterizedTest
    @ValueSource(strings = {"simple", "extended"})
    void aDriverThatOnlyLooksForNotificationsIsToldNothingElse(String mode) throws Exception {
        try (Connection one =
                        client("preferQueryMode", mode, "ApplicationName", "pool", "assumeMinServerVersion", "9.0");
                Statement statement = one.createStatement()) {
            statement.execute("RESET ALL");
            assertThat(one.unwrap(PGConnection.class).getNotifications()).isNullOrEmpty();
            assertThat(statement.execute("SELECT 1")).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"RESET TimeZone", "DISCARD ALL"})
    void whatIsRolledBackHasNotBeen(String reset) throws Exception {
        String servers;
        try (PgWire plain = wire()) {
            servers = String.valueOf(plain.parameters.get("TimeZone"));
        }
        try (PgWire one = inTokyo()) {
            assertThat(ask(one, "SET TimeZone = '" + servers + "'", "BEGIN")).isEqualTo("C ZI C ZT");
            ask(one, reset);
            assertThat(ask(one, "ROLLBACK", "SHOW TimeZone")).isEqualTo("C ZI T D" + servers + " C ZI");
            assertThat(one.parameters).containsEntry("TimeZone", servers);
        }
    }

    /** What a startup packet leaves open is the server's, not what the client before had. */
    @Test
    void halfADateStyle() throws Exception {
        try (PgWire before = wire()) {
            assertThat(ask(before, "SET DateStyle = 'ISO, DMY'")).isEqualTo("C ZI");
            try (PgWire half = wire("DateStyle", "ISO")) {
                assertThat(ask(half, "SHOW DateStyle")).isEqualTo("T DISO, MDY C ZI");
            }
            assertThat(ask(before, "SET DateStyle = 'ISO, MDY'")).isEqualTo("C ZI");
            try (PgWire half = wire("DateStyle", "ISO")) {
                assertThat(ask(half, "SHOW DateStyle")).isEqualTo("T DISO, MDY C ZI");
            }
        }
    }
}
