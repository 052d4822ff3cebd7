package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import org.junit.jupiter.api.Test;

/** Servers before PostgreSQL 18 do not report search_path: it is the client's own all the same, over a shared connection. */
class PostgresSearchPathIT extends PostgresFixture {

    @Override
    int version() {
        return 15;
    }

    @Test
    void searchPathFollowsTheClient() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
        try (Connection plain = client();
                Connection named = client("currentSchema", "pg_catalog");
                Connection also = client("currentSchema", "information_schema")) {
            assertThat(one(named, "SHOW search_path")).isEqualTo("pg_catalog");
            assertThat(one(plain, "SHOW search_path")).isEqualTo("\"$user\", public");
            assertThat(one(also, "SHOW search_path")).isEqualTo("information_schema");
            assertThat(one(plain, "SHOW search_path")).isEqualTo("\"$user\", public");
            run(plain, "SET search_path = information_schema");
            awaitProbe(plain);
            assertThat(one(named, "SHOW search_path")).isEqualTo("pg_catalog");
            assertThat(one(plain, "SHOW search_path")).isEqualTo("information_schema");
            run(plain, "RESET search_path");
            assertThat(one(plain, "SHOW search_path")).isEqualTo("\"$user\", public");
            run(named, "SET search_path = public");
            run(named, "RESET search_path");
            assertThat(one(named, "SHOW search_path")).isEqualTo("pg_catalog");
            assertThat(one(plain, "SHOW search_path")).isEqualTo("\"$user\", public");
            run(also, "DISCARD ALL");
            assertThat(one(also, "SHOW search_path")).isEqualTo("information_schema");
            assertThat(one(named, "SHOW search_path")).isEqualTo("pg_catalog");
        }
    }

    @Test
    void resetIsDoneBeforeWhatIsSentTogetherWithIt() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
        try (PgWire one = new PgWire(proxy.port()).login(3 << 16, "app", "pencil", "search_path", "pg_catalog")) {
            one.query("RESET ALL").query("SHOW search_path").send();
            assertThat(one.answers(2)).isEqualTo("C ZI T Dpg_catalog C ZI");
            one.query("BEGIN")
                    .query("SET search_path = public")
                    .query("RESET search_path")
                    .query("SHOW search_path");
            one.send();
            assertThat(one.answers(4)).isEqualTo("C ZT C ZT C ZT T Dpg_catalog C ZT");
            one.query("ROLLBACK").query("SHOW search_path").send();
            assertThat(one.answers(2)).isEqualTo("C ZI T Dpg_catalog C ZI");
        }
    }

    @Test
    void searchPathIsReadInTheClientsEncoding() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
        try (PgWire latin = new PgWire(proxy.port()).login(3 << 16, "app", "pencil", "client_encoding", "LATIN1");
                Connection plain = client()) {
            latin.add('Q', "SET search_path = \"sch\u00f6ma\"\0".getBytes(StandardCharsets.ISO_8859_1))
                    .send();
            assertThat(latin.answers(1)).isEqualTo("C ZI");
            assertThat(one(plain, "SHOW search_path")).isEqualTo("\"$user\", public");
            latin.query("SELECT ascii(substr(current_setting('search_path'), 5)), current_setting('client_encoding')")
                    .send();
            assertThat(latin.answers(1)).isEqualTo("T D246 C ZI");
            assertThat(one(plain, "SHOW search_path")).isEqualTo("\"$user\", public");
        }
    }
}
