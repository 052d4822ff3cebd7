package dev.eden.activities.postgres.schema;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What plan compares of two schemas, beside columns. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PreparedTargetIT {
    private static final String TABLE = "CREATE TABLE t (a int PRIMARY KEY, b int, c text);";
    private static final String NOTED =
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';";

    @SuppressWarnings("NullAway.Init") // by start()
    private PostgresServers servers;

    /**
     * @param both on both sides, first
     * @param differ own definitions
     */
    record Case(
            String both, String source, String target, List<String> wrong, List<String> wider, List<String> differ) {}

    private static Case wrong(String both, String source, String target, String... wrong) {
        return new Case(both, source, target, List.of(wrong), List.of(), List.of());
    }

    private static Case wider(String both, String source, String target, String... wider) {
        return new Case(both, source, target, List.of(), List.of(wider), List.of());
    }

    private static Case wrongAndOwn(String both, String source, String target, String name) {
        return new Case(both, source, target, List.of(name), List.of(), List.of(name));
    }

    private static Case own(String both, String source, String target, String... own) {
        return new Case(both, source, target, List.of(), List.of(), List.of(own));
    }

    static Stream<Case> all() {
        String parted = "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a);";
        return Stream.of(
                wrong(
                        "",
                        "CREATE TABLE t (a int)",
                        "CREATE TABLE t (a int) PARTITION BY RANGE (a)",
                        "public.t (table → partitioned table)"),
                wrong("", "CREATE TABLE t (a int)", "CREATE VIEW t AS SELECT 1 AS a", "public.t (table → view)"),
                wrong("", "CREATE SEQUENCE t", "CREATE TABLE t (a int)", "public.t (sequence → table)"),
                wrong("", "CREATE TABLE t (a int)", "CREATE UNLOGGED TABLE t (a int)", "public.t (unlogged)"),
                wider("", "CREATE UNLOGGED TABLE t (a int)", "CREATE TABLE t (a int)", "public.t (not unlogged)"),
                wrong(
                        "",
                        parted,
                        "CREATE TABLE p (a int, b int) PARTITION BY RANGE (b)",
                        "public.p (by RANGE a → RANGE b)"),
                wrong(
                        parted,
                        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)",
                        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (5)",
                        "public.p1 (partition of public.p FOR VALUES FROM (0) TO (9) → partition of public.p FOR VALUES FROM (0) TO (5))"),
                wrong(
                        parted,
                        "CREATE TABLE p1 (a int, b int)",
                        "CREATE TABLE p1 PARTITION OF p DEFAULT",
                        "public.p1 (by itself → partition of public.p DEFAULT)"),
                wrong(
                        parted,
                        "SELECT 1",
                        "CREATE TABLE p1 PARTITION OF p DEFAULT",
                        "public.p1 (partition that the source has not)"),
                // The copier makes it.
                wrong(parted, "CREATE TABLE p1 PARTITION OF p DEFAULT", "SELECT 1"),
                wrong(
                        "",
                        "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (-5) TO (9)",
                        "CREATE TABLE p (a bigint) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (-5) TO (9)"),
                wrong(
                        "CREATE TABLE p (a int);",
                        "CREATE TABLE t (a int) INHERITS (p)",
                        "CREATE TABLE t (a int)",
                        "public.t (child of public.p → by itself)"),
                wider(
                        "",
                        "CREATE TYPE m AS ENUM ('a', 'c')",
                        "CREATE TYPE m AS ENUM ('0', 'a', 'b', 'c', 'd')",
                        "type public.m (more labels)"),
                wrong(
                        "",
                        "CREATE TYPE m AS ENUM ('a', 'c')",
                        "CREATE TYPE m AS ENUM ('c', 'a', 'b')",
                        "type public.m (a, c → c, a, b)"),
                wrong(
                        "",
                        "CREATE TYPE m AS ENUM ('a', 'c')",
                        "CREATE TYPE m AS ENUM ('a')",
                        "type public.m (a, c → a)"),
                wrong("", "CREATE TYPE m AS ENUM ('a')", "CREATE DOMAIN m AS text", "type public.m (enum → domain)"),
                wrong("", "CREATE DOMAIN m AS int", "CREATE DOMAIN m AS bigint", "type public.m (integer → bigint)"),
                wrong(
                        "",
                        "CREATE DOMAIN m AS int",
                        "CREATE DOMAIN m AS int NOT NULL",
                        "type public.m (integer → integer, NOT NULL)"),
                wrong(
                        "",
                        "CREATE DOMAIN m AS int",
                        "CREATE DOMAIN m AS int CHECK (VALUE > 0)",
                        "type public.m (checks)"),
                wrong(
                        "",
                        "CREATE DOMAIN m AS int CHECK (VALUE > 0)",
                        "CREATE DOMAIN m AS int",
                        "type public.m (checks)"),
                wrong(
                        "",
                        "CREATE TYPE m AS (a int, b text)",
                        "CREATE TYPE m AS (a int, b varchar(3))",
                        "type public.m (a integer, b text → a integer, b character varying(3))"),
                wrong(
                        "",
                        "CREATE TYPE m AS RANGE (SUBTYPE = int)",
                        "CREATE TYPE m AS RANGE (SUBTYPE = bigint)",
                        "type public.m (integer  int4_ops → bigint  int8_ops)"),
                wrong(
                        TABLE + "CREATE TABLE r (a int PRIMARY KEY);",
                        "SELECT 1",
                        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES r",
                        "constraint public.t.k"),
                wrong(
                        TABLE + "CREATE TABLE r (a int PRIMARY KEY);",
                        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES r NOT VALID",
                        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES r",
                        "constraint public.t.k (not validated on the source)"),
                wrong(
                        TABLE + "CREATE TABLE r (a int PRIMARY KEY);",
                        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES r",
                        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES r NOT VALID"),
                new Case(
                        TABLE,
                        "CREATE UNIQUE INDEX u ON t (b)",
                        "CREATE INDEX u ON t (b)",
                        List.of("index public.u lacking"),
                        List.of("index public.u"),
                        List.of()),
                new Case(
                        TABLE,
                        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)",
                        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b, c)",
                        List.of("constraint public.t.u lacking"),
                        List.of("index public.u"),
                        List.of()),
                // Asks the same, but ADD CONSTRAINT would find the name taken.
                wrong(
                        TABLE,
                        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)",
                        "CREATE UNIQUE INDEX u ON t (b)",
                        "constraint public.t.u lacking"),
                wrong(
                        TABLE,
                        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b) DEFERRABLE",
                        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)",
                        "index public.u"),
                new Case(
                        TABLE,
                        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)",
                        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b) DEFERRABLE",
                        List.of("constraint public.t.u lacking"),
                        List.of("index public.u"),
                        List.of()),
                new Case(
                        TABLE + "CREATE TABLE r (a int PRIMARY KEY, b int);",
                        "CREATE INDEX u ON t (b)",
                        "CREATE INDEX u ON r (b)",
                        List.of("index public.u lacking"),
                        List.of("index public.u"),
                        List.of()),
                wider(TABLE, "CREATE INDEX u ON t (b)", "CREATE INDEX u ON t (b, c)", "index public.u"),
                wrong(
                        TABLE,
                        "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (int4range(a, b) WITH &&)",
                        "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (int4range(a, b) WITH -|-)",
                        "constraint public.t.x lacking",
                        "index public.x"),
                wrong(
                        TABLE,
                        "ALTER TABLE t ADD CONSTRAINT one CHECK (b > 0), ADD CONSTRAINT two CHECK (b < 9)",
                        "ALTER TABLE t ADD CONSTRAINT one CHECK (b < 9)",
                        "constraint public.t.one lacking"),
                wrong(
                        TABLE,
                        "ALTER TABLE t ADD CONSTRAINT one CHECK (b > 0)",
                        "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a)",
                        "constraint public.t.one lacking"),
                wrong(
                        TABLE + "CREATE TABLE r (a int PRIMARY KEY);",
                        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES r ON DELETE CASCADE",
                        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES r",
                        "constraint public.t.k",
                        "constraint public.t.k lacking"),
                // By another name, and of wider types.
                wrong(
                        "",
                        "CREATE TABLE t (a int CHECK (a > 0), b varchar(9), c varchar, CONSTRAINT k CHECK (b <> '' AND c IN ('x', 'y')), CONSTRAINT u UNIQUE (b));"
                                + "CREATE UNIQUE INDEX l ON t (lower(c))",
                        "CREATE TABLE t (a bigint CHECK (a > 0), b text, c text, CONSTRAINT k2 CHECK (b <> '' AND c IN ('x', 'y')), CONSTRAINT u2 UNIQUE (b));"
                                + "CREATE UNIQUE INDEX l2 ON t (lower(c))"),
                wider(
                        TABLE + NOTED,
                        "SELECT 1",
                        "CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE RULE n AS ON DELETE TO t DO INSTEAD NOTHING;"
                                + "CREATE POLICY n ON t; ALTER TABLE t ENABLE ROW LEVEL SECURITY",
                        "policy public.t.n",
                        "row security public.t",
                        "rule public.t.n",
                        "trigger public.t.n"),
                own(
                        "",
                        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
                        "function public.f(integer)"),
                own(
                        "",
                        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
                        "function public.f(integer)"),
                own(
                        TABLE + NOTED + "CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
                        "SELECT 1",
                        "ALTER TABLE t DISABLE TRIGGER n",
                        "trigger public.t.n"),
                // It would fire for each row that is loaded or replicated.
                wrongAndOwn(
                        TABLE + NOTED + "CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
                        "SELECT 1",
                        "ALTER TABLE t ENABLE ALWAYS TRIGGER n",
                        "trigger public.t.n"),
                wrong(
                        parted + "CREATE TABLE p1 PARTITION OF p DEFAULT;" + NOTED
                                + "CREATE TRIGGER n BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();",
                        "SELECT 1",
                        "ALTER TABLE p1 ENABLE ALWAYS TRIGGER n",
                        "trigger public.p1.n"),
                wrong(
                        TABLE + NOTED + "CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
                                + "ALTER TABLE t ENABLE ALWAYS TRIGGER n; CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p DEFAULT;"
                                + "CREATE TRIGGER n BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE p ENABLE REPLICA TRIGGER n",
                        "",
                        ""),
                wrong(
                        TABLE + "CREATE RULE n AS ON DELETE TO t DO INSTEAD NOTHING;",
                        "SELECT 1",
                        "ALTER TABLE t ENABLE REPLICA RULE n",
                        "rule public.t.n"),
                new Case(
                        "CREATE TABLE t (a int, at timestamp);",
                        "CREATE UNIQUE INDEX u ON t (a, at)",
                        "CREATE UNIQUE INDEX u ON t (a, (at::date))",
                        List.of("index public.u", "index public.u lacking"),
                        List.of(),
                        List.of()),
                own(
                        TABLE,
                        "CREATE POLICY n ON t FOR SELECT USING (a > 0)",
                        "CREATE POLICY n ON t FOR SELECT USING (a > 1)",
                        "policy public.t.n"),
                own("", "CREATE VIEW v AS SELECT 1 AS a", "CREATE VIEW v AS SELECT 1::bigint AS a", "view public.v"));
    }

    @BeforeAll
    void start() {
        servers = PostgresServers.start(15, 18);
    }

    @AfterAll
    void stop() {
        servers.close();
    }

    @ParameterizedTest
    @MethodSource("all")
    void differs(Case one) {
        try (PostgresSession source = made("source", one.both() + one.source());
                PostgresSession target = made("target", one.both() + one.target())) {
            Set<String> wrong = new TreeSet<>();
            Set<String> wider = new TreeSet<>();
            List<String> own = OwnDefinitions.differing(source, target);
            compare(source, target, wrong, wider);
            assertThat(wrong).containsExactlyElementsOf(one.wrong());
            assertThat(wider).containsExactlyElementsOf(one.wider());
            assertThat(own).containsExactlyElementsOf(one.differ());
        }
    }

    private static void compare(PostgresSession source, PostgresSession target, Set<String> wrong, Set<String> wider) {
        List<String> refused = new ArrayList<>();
        List<String> more = new ArrayList<>();
        RelationKinds.compare(source, target, refused, more);
        TypeKinds.compare(source, target, refused, more);
        Restrictions asked = Restrictions.of(source);
        Restrictions.of(target).beyond(asked, Set.of("public.t", "public.p", "public.p1", "public.r"), refused, more);
        asked.lacking(Restrictions.of(target), true).forEach(lacking -> refused.add(lacking + " lacking"));
        wrong.addAll(refused);
        wider.addAll(more);
    }

    private PostgresSession made(String id, String sql) {
        PostgresSession session = servers.own(id);
        session.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET search_path = public; " + sql
                + "; SET search_path = pg_catalog");
        return session;
    }
}
