package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatementTextTest {

    private static StatementText.Effect classify(String sql) {
        ByteBuf bytes = Unpooled.copiedBuffer(sql + "\0", StandardCharsets.UTF_8);
        return StatementText.classify(bytes, 0, bytes.writerIndex());
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
        assertThat(classify("RESET ALL").resets()).isTrue();
        assertThat(classify("DISCARD ALL").resets()).isTrue();
        assertThat(classify("RESET ALL").resetsSearchPath()).isTrue();
        assertThat(classify("begin; RESET \"search_path\"; commit").resetsSearchPath())
                .isTrue();
        assertThat(classify("RESET TimeZone").resetsSearchPath()).isFalse();
        assertThat(classify("DISCARD ALL").resetsSearchPath()).isFalse();
        assertThat(classify("SET search_path = a").onlySearchPath()).isTrue();
        assertThat(classify("SET search_path = a; SET work_mem = 1").onlySearchPath())
                .isFalse();
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
}
