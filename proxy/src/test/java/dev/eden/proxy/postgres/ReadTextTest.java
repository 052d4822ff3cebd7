package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReadTextTest {
    private static final List<@Nullable String[]> ROWS = List.<@Nullable String[]>of(
            relation("t", "table"),
            relation("Odd Name", "table"),
            relation("s", "other"),
            relation("late", "view", "SELECT t.id FROM t WHERE t.at < now();"),
            relation("good", "view", "SELECT t.id, lower(t.name) AS name FROM t;"),
            relation("better", "view", "SELECT good.id FROM good;"),
            relation("here", "table"),
            function("count", "own", "i"),
            function("json_agg", "own", "s"),
            function("lower", "own", "i"),
            function("to_char", "own", "s"),
            function("now", "own", "s"),
            function("random", "own", "v"),
            function("nextval", "own", "v"),
            function("set_config", "own", "v"),
            function("tidy", "made", "i"),
            function("price", "made", "s", "SELECT t.cost FROM t WHERE t.id = $1"),
            function("dearer", "made", "s", "SELECT price($1) > 10 FROM good"),
            function("stock", "made", "s", "SELECT s.qty FROM s WHERE s.id = $1"),
            function("opaque", "made", "s"),
            function("wild", "made", "v"),
            new @Nullable String[] {"type", "mood", "", "public.mood mood=16400", null, null},
            new @Nullable String[] {"type", "amount", "", "public.amount", null, null},
            function("mixed", "made", "i"),
            function("mixed", "own", "v"),
            new @Nullable String[] {
                "relation", "refs", "table", "public.id integer,r regclass" + SentTypes.LOCAL, null, null
            });

    private static @Nullable String[] relation(String name, String kind, @Nullable String... text) {
        return new @Nullable String[] {
            "relation", name, kind, "public.id integer", text.length == 0 ? null : text[0], null
        };
    }

    private static @Nullable String[] function(String name, String whose, String volatility, @Nullable String... body) {
        String signature = whose.equals("own") ? "" : "public." + name;
        return new @Nullable String[] {"function", name, whose, volatility, signature, body.length == 0 ? null : body[0]
        };
    }

    private static final ReadCatalogue CATALOGUE = new ReadCatalogue(ROWS, there());

    /** The same, but one table has another column, and one type another number. */
    private static List<@Nullable String[]> there() {
        List<@Nullable String[]> rows = new ArrayList<>(ROWS);
        rows.removeIf(row -> "here".equals(row[1]) || "mood".equals(row[1]));
        rows.add(new @Nullable String[] {"type", "mood", "", "public.mood mood=16500", null, null});
        rows.add(new @Nullable String[] {"relation", "here", "table", "public.id integer,more text", null, null});
        return rows;
    }

    private static ReadText.Verdict judge(ReadCatalogue catalogue, String sql) {
        ByteBuf bytes = Unpooled.copiedBuffer(sql + "\0", StandardCharsets.UTF_8);
        return ReadText.judge(catalogue, bytes, 0, bytes.writerIndex());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM t",
                "select id from public.t where id = $1 and name like 'a%';",
                "SELECT count(*) FROM t /* FOR UPDATE */ -- nextval('x')",
                "WITH x AS (SELECT id FROM t) SELECT x.id FROM x JOIN t USING (id) WHERE (x.id, t.id) IN ((1, 2))",
                "SELECT to_char(at, 'YYYY') FROM t WHERE id = ANY ($1) LIMIT 10",
                "SELECT v[greatest(1, 3):] FROM \"Odd Name\"",
                "SELECT tidy(id) FROM good",
                "SELECT price(id) FROM t WHERE dearer(id)",
                "SELECT id FROM better",
                "SELECT id::numeric(10, 2) FROM t WHERE name = 'it''s; DROP'",
                "SELECT 1.5, 27 FROM t",
                "SELECT 27::amount FROM t",
            })
    void admits(String sql) {
        assertThat(judge(CATALOGUE, sql).reason()).isNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            SELECT 1                                              | no_table
            SHOW TimeZone                                         | statement
            EXPLAIN ANALYZE SELECT * FROM t                       | statement
            TABLE t                                               | statement
            (SELECT * FROM t)                                     | statement
            SELECT * FROM t; SELECT * FROM t                      | statement
            SELECT * FROM t FOR UPDATE                            | locks
            SELECT * FROM t FOR NO KEY UPDATE                     | locks
            SELECT * FROM t FOR/**/SHARE                          | locks
            SELECT random() FROM t                                | function
            SELECT random /* so */ () FROM t                      | function
            SELECT nextval('a') FROM t                            | function
            SELECT "set_config"('a', 'b', false) FROM t           | function
            SELECT wild(id) FROM t                                | function
            SELECT t.wild FROM t                                  | function
            SELECT stock(id) FROM t                               | function
            SELECT opaque(id) FROM t                              | function
            SELECT mixed(id) FROM t                               | function
            SELECT unheard_of(id) FROM t                          | function
            SELECT now() FROM t                                   | function
            SELECT id FROM late                                   | relation
            SELECT id FROM s, t                                   | relation
            SELECT * FROM here                                    | relation
            SELECT id FROM refs                                   | relation
            SELECT 'fine'::mood FROM t                            | type
            SELECT "mood" 'fine' FROM t                           | type
            SELECT current_date FROM t                            | clock
            SELECT * FROM t WHERE at < 'now'                      | clock
            SELECT * FROM t WHERE at < timestamp 'Yesterday'      | clock
            SELECT * FROM t WHERE at < E'\\156ow'                 | text
            SELECT * FROM t WHERE at < U&'\\006eow'               | text
            SELECT * FROM t WHERE at < $$now$$                    | text
            SELECT pg_advisory_lock(1) FROM t                     | system
            SELECT relname FROM pg_class, t                       | system
            SELECT "pg_sleep"(1) FROM t                           | text
            SELECT ctid FROM t                                    | system
            SELECT "tableoid" FROM t                              | system
            SELECT 't'::"regclass"::oid FROM t                    | system
            SELECT 't'::regclass FROM t                           | system
            SELECT current_user FROM t                            | system
            SELECT table_name FROM information_schema.tables, t   | system
            SELECT * FROM t TABLESAMPLE system (10)               | text
            SELECT * FROM t WHERE id = 1or wild = 1               | text
            """)
    void sendsToTheActiveSide(String sql, String reason) {
        assertThat(judge(CATALOGUE, sql).read()).isTrue();
        assertThat(judge(CATALOGUE, sql).reason()).isEqualTo(reason);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO t VALUES (1)",
                "WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x",
                "SELECT * INTO u FROM t",
                "BEGIN",
                "SET a = b",
                "COPY t TO STDOUT",
                "",
            })
    void doesNotTakeForReads(String sql) {
        assertThat(judge(CATALOGUE, sql).read()).isFalse();
    }

    @Test
    void admitsNothingWithoutCatalogues() {
        assertThat(judge(ReadCatalogue.NONE, "SELECT * FROM t").reason()).isEqualTo("unknown_catalogue");
    }

    @Test
    void admitsNothingWhereSomethingVolatileRunsUnnamed() {
        List<@Nullable String[]> rows = new ArrayList<>(ROWS);
        rows.add(new @Nullable String[] {"unnamed", "my_cast", "", "", ""});
        assertThat(judge(new ReadCatalogue(rows, ROWS), "SELECT * FROM t").reason())
                .isEqualTo("volatile_type");
    }

    @Test
    void comparesOnlyWhatTheRowsAloneDecide() {
        assertThat(judge(CATALOGUE, "SELECT id FROM t").comparable()).isTrue();
        assertThat(judge(CATALOGUE, "SELECT id FROM t LIMIT 3").comparable()).isFalse();
        assertThat(judge(CATALOGUE, "SELECT json_agg(t) FROM t").comparable()).isFalse();
        assertThat(judge(CATALOGUE, "SELECT array(SELECT id FROM t) FROM t").comparable())
                .isFalse();
    }

    /** A name that is given for such a parameter becomes a number of the server that reads it. */
    @Test
    void aParameterThatIsANumberOfAServersOwnIsForTheActiveSide() {
        assertThat(judgeDeclared(26, 20).reason()).isNull();
        assertThat(judgeDeclared(20, 2205).reason()).isEqualTo("type");
        assertThat(judgeDeclared(2210).reason()).isEqualTo("type");
    }

    private static ReadText.Verdict judgeDeclared(int... types) {
        ByteBuf parse = Unpooled.copiedBuffer("SELECT id FROM t WHERE o = $1\0", StandardCharsets.UTF_8)
                .writeShort(types.length);
        for (int type : types) {
            parse.writeInt(type);
        }
        return ReadText.judge(CATALOGUE, parse, 0, parse.writerIndex());
    }
}
