package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings that a text makes by other ways than SET: whoever comes next on the connection must not have them. */
class PostgresHiddenStateIT extends PostgresFixture {
    private static final int V3_0 = 3 << 16;

    private PgWire wire() throws IOException {
        return new PgWire(proxy.port()).login(V3_0, "app", "pencil");
    }

    private static String ask(PgWire wire, String sql) throws IOException {
        wire.query(sql).send();
        return wire.answers(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DO $$BEGIN PERFORM set_config('app.tenant', 'a', false); END$$",
                "DO $a$BEGIN EXECUTE $b$SET app.tenant = a$b$; END$a$",
                "DO 'BEGIN EXECUTE ''SET app.tenant = a''; END'",
                "UPDATE pg_settings SET setting = 'off' WHERE name = 'enable_seqscan'",
                "UPDATE ONLY pg_catalog.pg_settings AS s SET setting = 'off' WHERE name = 'enable_seqscan'",
            })
    void isTheClientsAlone(String sql) throws Exception {
        start(config ->
                config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofSeconds(1), 100));
        String look = "SELECT concat(current_setting('app.tenant', true), current_setting('enable_seqscan'))";
        try (PgWire one = wire();
                PgWire next = wire()) {
            assertThat(ask(one, sql)).endsWith("C ZI");
            assertThat(ask(next, look)).isEqualTo("E53300 ZI");
            assertThat(ask(one, look)).isIn("T Daon C ZI", "T Doff C ZI");
            assertThat(ask(one, "DISCARD ALL")).isEqualTo("C ZI");
            assertThat(ask(next, look)).isEqualTo("T Don C ZI");
        }
    }
}
