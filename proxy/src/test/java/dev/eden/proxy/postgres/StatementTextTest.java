package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatementTextTest {

    private static StatementText.Effect classify(String sql) {
        return classify(sql, true);
    }

    private static StatementText.Effect classify(String sql, boolean plainBackslashes) {
        ByteBuf bytes = Unpooled.copiedBuffer(sql + "\0", StandardCharsets.UTF_8);
        return StatementText.classify(bytes, 0, bytes.writerIndex(), plainBackslashes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ";;",
                "SELECT 1",
                "SELECT 'SET x = 1; LISTEN a'",
                "SELECT E'\\'; LISTEN a; --'",
                "SELECT $$ LISTEN a $$, $x$ $$; CREATE TEMP TABLE t() $x$",
                "SELECT /* /* nested */ ; LISTEN a */ 1",
                "SELECT 1 -- ; LISTEN a",
                "SELECT \"a;b\" FROM \"set_config_not\"",
                "BEGIN; INSERT INTO t VALUES ($1, $2); COMMIT",
                "SET LOCAL work_mem = 1",
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "SET CONSTRAINTS ALL DEFERRED",
                "SET TIME ZONE 'UTC'",
                "set timezone to 'UTC'",
                "SET client_encoding = 'UTF8'",
                "SET SESSION application_name = 'x'",
                "PREPARE TRANSACTION 'x'",
                "SELECT set_config('a.b', $1, true)",
                "SELECT set_config('a.b', f(x, (y)), TRUE), set_config('work_mem', '1MB', true) FROM t",
                "SELECT pg_advisory_xact_lock(1)",
                "SELECT pg_try_advisory_xact_lock_shared(1)",
                "CREATE TABLE temp_things (temporary int)",
                "SELECT temp FROM weather",
                "INSERT INTO temperatures VALUES (1)",
                "DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1",
                "NOTIFY a, 'b'",
                "UNLISTEN *",
                "UPDATE t SET listen = 1",
                "EXPLAIN SELECT 1",
                "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
                "SET SESSION AUTHORIZATION DEFAULT",
                "set session authorization default; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all()",
                "SELECT nextval('s')",
            })
    void leavesNothing(String sql) {
        assertThat(Pin.of(classify(sql).pins())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "SET work_mem = '7MB' | SETTING",
                "/* x */ set SESSION my.own = 1 | SETTING",
                "SET search_path = a, b | SETTING",
                "SELECT set_config('a.b', 'c', false) | SETTING",
                "SELECT pg_catalog.set_config('a.b', 'c', false) | SETTING",
                "SELECT \"set_config\"('a.b', 'c', false) | SETTING",
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY | SETTING",
                "SET ROLE x | ROLE",
                "SET SESSION AUTHORIZATION x | HIDDEN",
                "SET SESSION AUTHORIZATION \"default\" | HIDDEN",
                "EXPLAIN (ANALYZE, VERBOSE (a)) CREATE TEMP TABLE t AS SELECT 1 | TEMPORARY",
                "explain analyze verbose create local temporary table t as select 1 | TEMPORARY",
                "SELECT set_limit(0.5) | SETTING",
                "SELECT 1; LISTEN a | LISTEN",
                "PREPARE a AS SELECT 1 | PREPARE",
                "DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT 1 | CURSOR",
                "SELECT Pg_Advisory_Lock(1) | ADVISORY_LOCK",
                "WITH x AS (SELECT pg_try_advisory_lock_shared(1)) SELECT 1 | ADVISORY_LOCK",
                "CREATE TEMP TABLE t (id int) | TEMPORARY",
                "CREATE LOCAL TEMPORARY TABLE t (id int) | TEMPORARY",
                "CREATE OR REPLACE TEMP VIEW v AS SELECT 1 | TEMPORARY",
                "SELECT 1 INTO TEMP t | TEMPORARY",
                "SELECT 1 INTO LOCAL TEMPORARY t | TEMPORARY",
                "CREATE TABLE pg_temp.t (id int) | TEMPORARY",
                "INSERT INTO pg_temp.t VALUES (1) | TEMPORARY",
                "SELECT currval('s') | HIDDEN",
                "SELECT lastval() | HIDDEN",
                "DO $$ BEGIN PERFORM 1; END $$ | UNKNOWN",
                "CALL p() | UNKNOWN",
                "LOAD 'x' | UNKNOWN",
                "UPDATE pg_settings SET setting = 'off' WHERE name = 'enable_seqscan' | SETTING",
                "WITH x AS (update only pg_catalog.\"pg_settings\" s SET setting = 'off') SELECT 1 | SETTING",
                "DO $$BEGIN SET LOCAL a.b = 1; END$$ | UNKNOWN",
                "DO $$BEGIN UPDATE t SET x = 1; RAISE NOTICE 'set to %', 1; END$$ | UNKNOWN",
                "DO $$BEGIN PERFORM set_config('a.b', 'c', true); END$$ | UNKNOWN",
            })
    void leavesSomething(String sql, Pin pin) {
        assertThat(Pin.of(classify(sql).pins())).containsExactly(pin);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DO $$BEGIN PERFORM set_config('a.b', 'c', false); END$$",
                "DO LANGUAGE plpgsql 'BEGIN PERFORM set_config(''a.b'', ''c'', false); END'",
                "DO E'BEGIN\\n PERFORM set_config(\\'a.b\\', \\'c\\', false); END'",
                "DO $$DECLARE i int; BEGIN IF true THEN SET SESSION a.b TO 1; END IF; END$$",
                "DO $a$BEGIN EXECUTE $b$SET a.b = 1$b$; END$a$",
                "DO 'BEGIN EXECUTE ''SET a.b = 1''; END'",
                "DO $$DECLARE s text := 'SELECT set_config(''a.b'', ''c'', false)'; BEGIN EXECUTE s; END$$",
            })
    void aBlockTellsWhatItSets(String sql) {
        StatementText.Effect effect = classify(sql);
        assertThat(Pin.of(effect.pins())).containsExactly(Pin.SETTING, Pin.UNKNOWN);
        assertThat(effect.customs()).containsExactly("a.b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DO $$BEGIN PERFORM set_config(x, 'c', false) FROM t; END$$",
                "DO $$BEGIN EXECUTE format('SET %I.%I = %L', a, b, c); END$$",
                "DO $$BEGIN EXECUTE 'SET a.' || x || ' = 1'; END$$",
                "DO $$BEGIN EXECUTE 'SET ' || x; END$$",
                "DO $$BEGIN EXECUTE 'SELECT set_config(''a.' || x || ''', 1, false)'; END$$",
                "DO $$BEGIN PERFORM lastval(); END$$",
            })
    void aBlockThatDoesNotTellHidesIt(String sql) {
        assertThat(Pin.of(classify(sql).pins())).contains(Pin.HIDDEN, Pin.UNKNOWN);
    }

    @Test
    void deallocates() {
        assertThat(classify("DEALLOCATE a").deallocates()).isEqualTo("a");
        assertThat(classify("DEALLOCATE PREPARE Abc;").deallocates()).isEqualTo("abc");
        assertThat(classify("deallocate \"_Pg\"\"3\"").deallocates()).isEqualTo("_Pg\"3");
        assertThat(classify("DEALLOCATE ALL").deallocates()).isNull();
        assertThat(classify("DEALLOCATE a; SELECT 1").deallocates()).isNull();
        assertThat(classify("RESET ALL").resetsSearchPath()).isTrue();
        assertThat(classify("begin; RESET \"search_path\"; commit").resetsSearchPath())
                .isTrue();
        assertThat(classify("RESET TimeZone").resetsSearchPath()).isFalse();
        assertThat(classify("DISCARD ALL").resetsSearchPath()).isFalse();
        assertThat(classify("SET search_path = a").onlySearchPath()).isTrue();
        assertThat(classify("SET search_path = a; SET work_mem = 1").onlySearchPath())
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "RESET work_mem | `` | ``",
                "RESET ROLE | `` | ``",
                "RESET SESSION AUTHORIZATION | `` | ``",
                "RESET TimeZone | TimeZone | ``",
                "RESET \"TimeZone\" | TimeZone | ``",
                "RESET TIME ZONE | TimeZone | ``",
                "SET TIME ZONE DEFAULT | TimeZone | ``",
                "SET SESSION TIME ZONE local; SELECT 1 | TimeZone | ``",
                "SET LOCAL TIME ZONE DEFAULT | `` | ``",
                "SET search_path TO DEFAULT | search_path | ``",
                "SET \"search_path\" = default | search_path | ``",
                "SET NAMES | client_encoding | ``",
                "SET search_path TO \"default\" | `` | search_path",
                "SET TIME ZONE 'UTC' | `` | TimeZone",
                "SET NAMES 'UTF8' | `` | client_encoding",
                "SET SCHEMA 'a' | `` | search_path",
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY | `` | default_transaction_read_only",
                "SELECT set_config('timezone', 'UTC', false) | `` | TimeZone",
                "SELECT set_config('timezone', 'UTC', true) | `` | ``",
                "RESET TimeZone; RESET DateStyle; SET TimeZone = 'UTC' | DateStyle | TimeZone",
                "SET TimeZone = 'UTC'; RESET TimeZone | TimeZone | ``",
            })
    void tellsWhatItResetsAndSets(String sql, String resets, String assigns) {
        assertThat(named(classify(sql).resets())).isEqualTo(resets);
        assertThat(named(classify(sql).assigns())).isEqualTo(assigns);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RESET ALL", "DISCARD ALL", "SET TimeZone = 'UTC'; RESET ALL"})
    void resetsAll(String sql) {
        assertThat(classify(sql).resets()).isEqualTo(Settings.ALL);
        assertThat(classify(sql).assigns()).isZero();
    }

    private static String named(int settings) {
        return IntStream.range(0, Settings.NAMES.length)
                .filter(i -> (settings & Settings.bit(i)) != 0)
                .mapToObj(i -> Settings.NAMES[i])
                .collect(Collectors.joining(","));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT setseed(0.5)",
                "SET seed = 0.5",
                "SET LOCAL \"seed\" = 0.5",
                "SET LOCAL seed TO 0.5",
                "SELECT set_config('Seed', $1, true)",
                "SELECT dblink_connect('a', 'b')",
                "SELECT pg_replication_origin_session_setup('a')",
                "SELECT pg_backup_start('a')",
                "SELECT pg_create_logical_replication_slot('s', 'pgoutput', true)",
                "DO $$BEGIN PERFORM setseed(0.5); END$$",
            })
    void leavesWhatOutlivesAllDiscarding(String sql) {
        assertThat(classify(sql).lasting()).isTrue();
        assertThat(Pin.of(classify(sql).pins())).contains(Pin.HIDDEN);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT lastval() | true",
                "SELECT CURRVAL('s') | true",
                "SELECT coalesce(lastval(), 0) | true",
                "SET statement_timeout = 0; SELECT lastval() | true",
                "INSERT INTO lines VALUES (currval('orders_id_seq')) | true",
                "INSERT INTO lines VALUES (lastval()) | true",
                "INSERT INTO lines SELECT currval($1) | true",
                "VALUES (lastval()) | true",
                "SELECT ts, lastval FROM sensor | false",
                "UPDATE m SET lastval = 5 | false",
                "INSERT INTO m (lastval) VALUES (1) | false",
                "SELECT max(v) AS currval FROM m | false",
                "CREATE TABLE m (lastval numeric DEFAULT currval('s')) | false",
                "CREATE VIEW v AS SELECT currval('s') | false",
                "GRANT EXECUTE ON FUNCTION lastval() TO app | false",
                "INSERT INTO orders VALUES (1); SELECT lastval() | false",
                "SELECT add_order(1); SELECT lastval() | false",
                "SELECT nextval('s'), currval('s') | false",
                "INSERT INTO lines VALUES (nextval('s'), currval('s')) | false",
                "INSERT INTO shop.\"Nodes\" (parent) VALUES (currval('shop.\"Nodes_id_seq\"')) | false",
                "INSERT INTO nodes (parent) VALUES (currval(pg_get_serial_sequence('nodes', 'id'))) | false",
                "WITH o AS (INSERT INTO orders DEFAULT VALUES) INSERT INTO lines VALUES (1) | false",
                "DO $$BEGIN PERFORM lastval(); END$$ | false",
            })
    void tellsWhetherItAsksWhatWasDrawnBefore(String sql, boolean asks) {
        assertThat(classify(sql).asks()).isEqualTo(asks);
    }

    /** {@code standard_conforming_strings = off}. */
    @Test
    void backslashesEscapeWhereTheSessionSaysSo() {
        String sql = "SELECT 'it\\'s'; SELECT set_config('app.tenant', '7', false)";
        assertThat(classify(sql, true)).isEqualTo(StatementText.Effect.NONE);
        assertThat(classify(sql, false).customs()).containsExactly("app.tenant");
        assertThat(Pin.of(classify(sql, false).pins())).containsExactly(Pin.SETTING);
        assertThat(Pin.of(classify("SELECT N'it\\'; LISTEN a --'", false).pins()))
                .isEmpty();
        assertThat(Pin.of(classify("SELECT set_config('app\\.tenant', '7', false)", false)
                        .pins()))
                .containsExactly(Pin.SETTING, Pin.HIDDEN);
        assertThat(classify("DO 'BEGIN PERFORM set_config(\\'a.b\\', 1, false); END'", false)
                        .customs())
                .containsExactly("a.b");
    }

    @Test
    void executes() {
        assertThat(classify("; execute Abc('a')").executes()).isEqualTo("abc");
        assertThat(classify("EXECUTE \"S \"\"1\" (1)").executes()).isEqualTo("S \"1");
        assertThat(classify("EXECUTE a; EXECUTE b").executes()).isNull();
        assertThat(classify("EXPLAIN EXECUTE a").executes()).isNull();
    }

    @Test
    void whatItNamesGetsAnotherName() {
        assertThat(renamed("; /* a */ execute Abc('a');")).isEqualTo("; /* a */ execute eden_1('a');");
        assertThat(renamed("EXECUTE \"S \"\"1\"(1)")).isEqualTo("EXECUTE eden_1(1)");
        assertThat(renamed("DEALLOCATE a")).isEqualTo("DEALLOCATE eden_1");
        assertThat(renamed("DEALLOCATE PREPARE \"a\" ;")).isEqualTo("DEALLOCATE PREPARE eden_1 ;");
    }

    private static String renamed(String sql) {
        ByteBuf in = Unpooled.copiedBuffer("Q" + sql + "\0types", StandardCharsets.UTF_8);
        ByteBuf out = Unpooled.buffer();
        StatementText.renamed(in, 1, in.writerIndex(), "eden_1".getBytes(StandardCharsets.UTF_8), out);
        String text = out.toString(StandardCharsets.UTF_8);
        assertThat(text).endsWith("\0types");
        return text.substring(0, text.indexOf(0));
    }

    /** No catalogue shows them: their names are all that a probe can go by. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "SET app.tenant = 5 | app.tenant | SETTING",
                "set session App.Tenant to 5 | app.tenant | SETTING",
                "SET app.\"Tenant\".more = 5 | app.tenant.more | SETTING",
                "SET \"app.tenant\" = 5 | app.tenant | SETTING",
                "BEGIN; SET a.b = 1; SET c.d = 2; COMMIT | a.b,c.d | SETTING",
                "SELECT set_config('app.tenant', $1, false) | app.tenant | SETTING",
                "SELECT pg_catalog.set_config('app.tenant', coalesce(x, 'a, b'), $2) FROM t | app.tenant | SETTING",
                "SELECT set_config('app.tenant', 'true', not true) | app.tenant | SETTING",
                "SELECT set_config('work_mem', '1MB', false) | `` | SETTING",
                "SET work_mem = '1.5MB' | `` | SETTING",
                "SELECT set_config($1, $2, true) | `` | SETTING,HIDDEN",
                "SELECT set_config('app.' + x, 'y', false) | `` | SETTING,HIDDEN",
                "SELECT set_config(E'app.\\x62', 'y', false) | `` | SETTING,HIDDEN",
                "SELECT set_config('it''s.x', 'y', false) | `` | SETTING,HIDDEN",
                "SELECT set_config | `` | SETTING,HIDDEN",
            })
    void customizedOptions(String sql, String names, String pins) {
        StatementText.Effect effect = classify(sql);
        assertThat(String.join(",", effect.customs())).isEqualTo(names);
        assertThat(Pin.of(effect.pins()).stream().map(Pin::name)).containsExactly(pins.split(","));
    }

    @Test
    void anyTextComesToAnEnd() {
        List<String> pieces = List.of(
                "SELECT ",
                "'",
                "\"",
                "$$",
                "$a$",
                "/*",
                "*/",
                "--",
                "\n",
                "E'",
                "\\",
                ";",
                "(",
                "SET ",
                "LISTEN ",
                "é",
                "CREATE TEMP ",
                "1",
                "$1",
                "WITH HOLD ",
                "DEALLOCATE ",
                "pg_advisory_lock",
                " ");
        Random random = new Random(3);
        for (int i = 0; i < 50_000; i++) {
            StringBuilder sql = new StringBuilder();
            for (int n = random.nextInt(12); n >= 0; n--) {
                sql.append(pieces.get(random.nextInt(pieces.size())));
            }
            assertThat(classify(sql.toString())).isNotNull();
        }
    }

    /** What a look at the session has found still holds after the first ones, and not after the others. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT 1 | NOTHING",
                "(SELECT f(1)) UNION SELECT 2 | NOTHING",
                "BEGIN; INSERT INTO t VALUES (1); COMMIT | NOTHING",
                "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x | NOTHING",
                "EXECUTE one (1) | PREPARED",
                "SELECT 1; EXECUTE one | PREPARED",
                "UNLISTEN news | SESSION",
                "DEALLOCATE ALL | SESSION",
                "CLOSE c | SESSION",
                "RESET work_mem | SESSION",
                "SET work_mem = 1 | SESSION",
                "SELECT pg_advisory_unlock(1) | SESSION",
                "SELECT pg_advisory_unlock_all() | SESSION",
                "DO $$ BEGIN END $$ | SESSION",
                "EXPLAIN ANALYZE EXECUTE one | SESSION",
            })
    void tellsWhatMayHaveChangedTheSession(String sql, String touch) {
        assertThat(classify(sql).touch().name()).isEqualTo(touch);
    }

    /** As where code puts a statement together: what it executes is looked through piece by piece. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "DO $$BEGIN EXECUTE 'ALTER ROLE \"' || 'app' || '\" RESET ALL'; END$$",
                "DO $$BEGIN EXECUTE 'SELECT E''\\' || '\''''; END$$",
                "DO $$BEGIN EXECUTE 'SELECT $' || 'x'; END$$",
            })
    void aPieceMayEndInAQuote(String sql) {
        assertThat(classify(sql).pins() & Pin.UNKNOWN.bit()).isPositive();
    }

    /** The server gets it as it is, and says what it thinks of it. */
    @ParameterizedTest
    @ValueSource(strings = {"EXECUTE \"p", "DEALLOCATE PREPARE \"p", "DEALLOCATE \""})
    void aNameWithoutItsEndIsNone(String sql) {
        assertThat(classify(sql).executes()).isNull();
        assertThat(classify(sql).deallocates()).isNull();
    }
}
