package dev.eden.activities.postgres.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.RichSchema;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchemaCopierIT {
    /** Each as one text on both servers. */
    private static final List<String> PORTRAITS = List.of(
            "SELECT format('%s %s', i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)) || i.indisclustered FROM pg_index i WHERE i.indrelid > 16383"
                    + " AND i.indisvalid AND i.indrelid::regclass::text ~ '^shop'",
            "SELECT format('%s %s %s %s %s', m.roleid::regrole, m.member::regrole, m.admin_option, m.inherit_option, m.set_option)"
                    + " FROM pg_auth_members m WHERE m.roleid::regrole::text IN ('lead', 'staff')",
            "SELECT format('%s %s %s %s %s', rngtypid::regtype, rngmultitypid::regtype, rngsubdiff, rngcollation::regcollation, opcname)"
                    + " FROM pg_range JOIN pg_opclass o ON o.oid = rngsubopc WHERE rngtypid > 16383",
            "SELECT format('%s.%s %s %s %s %s %s %s %s', attrelid::regclass, attname, attnotnull, attcollation::regcollation, attstorage, attstattarget, attoptions,"
                    + " pg_get_expr(adbin, adrelid), (SELECT t.reloptions FROM pg_class t WHERE t.oid = c.reltoastrelid)) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
                    + " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'c')",
            "SELECT rulename || ev_enabled::text FROM pg_rewrite WHERE rulename = 'quiet'",
            "SELECT format('%s %s', t.oid::regtype, typacl) FROM pg_type t WHERE typacl IS NOT NULL AND oid > 16383",
            "SELECT format('%s %s %s', o.type, o.identity, description) FROM pg_description d, pg_identify_object(classoid, objoid, objsubid) AS o"
                    + " WHERE objoid > 16383 AND o.identity ~ 'shop'");

    @Test
    void copiesByTheCataloguesWhatNoClientCopies() {
        try (var servers = PostgresServers.start(18, 18);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = made(servers);
            source.execute("""
                    CREATE ROLE lead;
                    CREATE ROLE staff;
                    GRANT lead TO staff WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
                    CREATE ROLE app;
                    GRANT lead TO app WITH INHERIT FALSE, SET TRUE;
                    GRANT staff TO app;
                    CREATE SCHEMA shop;
                    COMMENT ON SCHEMA shop IS 'all of it';
                    CREATE FUNCTION shop.apart(a float8, b float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT a - b';
                    CREATE TYPE shop.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = shop.apart, MULTIRANGE_TYPE_NAME = shop.spans);
                    CREATE TYPE shop.words AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops);
                    CREATE TYPE shop.two AS (a text COLLATE "C", b int);
                    COMMENT ON TYPE shop.two IS 'two';
                    REVOKE USAGE ON TYPE shop.two FROM PUBLIC;
                    GRANT USAGE ON TYPE shop.two TO app;
                    CREATE DOMAIN shop.positive AS int CONSTRAINT above CHECK (VALUE > 0);
                    COMMENT ON CONSTRAINT above ON DOMAIN shop.positive IS 'more than none';
                    CREATE TABLE shop.parent (a int, b text DEFAULT 'parent', CONSTRAINT above CHECK (a > 0));
                    COMMENT ON CONSTRAINT above ON shop.parent IS 'some';
                    CREATE TABLE shop.child (c text) INHERITS (shop.parent);
                    ALTER TABLE shop.child ALTER b SET DEFAULT 'child', ALTER a SET NOT NULL;
                    ALTER TABLE shop.parent ALTER b SET STORAGE EXTERNAL, ALTER b SET STATISTICS 300, ALTER b SET (n_distinct = -0.5),
                        SET (toast.autovacuum_enabled = false);
                    CREATE INDEX by_a ON shop.parent (a);
                    COMMENT ON INDEX shop.by_a IS 'of a';
                    ALTER TABLE shop.parent CLUSTER ON by_a;
                    CREATE RULE quiet AS ON DELETE TO shop.parent DO INSTEAD NOTHING;
                    ALTER TABLE shop.parent DISABLE RULE quiet;
                    COMMENT ON RULE quiet ON shop.parent IS 'not now';
                    CREATE STATISTICS shop.both ON a, b FROM shop.parent;
                    COMMENT ON STATISTICS shop.both IS 'both';
                    CREATE UNIQUE INDEX half ON shop.parent (b);
                    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.half'::regclass""");
            new RoleCopier(pair).copy(source, target);
            SchemaCopier copier = new SchemaCopier(pair);
            copier.beforeLoad(() -> {});
            // Rows that no unique index takes.
            target.execute("INSERT INTO shop.parent VALUES (1, 'x'), (2, 'x')");
            copier.afterLoad();
            assertThat(target.is("SELECT to_regclass('shop.half') IS NULL")).isTrue();
            for (String portrait : PORTRAITS) {
                assertThat(target.texts(portrait + " ORDER BY 1"))
                        .isNotEmpty()
                        .isEqualTo(source.texts(portrait + " ORDER BY 1"));
            }
        }
    }

    /** What the target says of its own objects is somebody's decision; what it does not say comes from the source. */
    @Test
    void whatAPreparedTargetSaysOfItsOwnObjectsStays() {
        String table = """
                CREATE SCHEMA shop;
                CREATE TABLE shop.kept (a int PRIMARY KEY, b text, c text);
                CREATE INDEX by_b ON shop.kept (b);
                CREATE INDEX by_c ON shop.kept (c);
                """;
        try (var servers = PostgresServers.start(18, 18);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = made(servers);
            source.execute(table + """
                    ALTER TABLE shop.kept ALTER b SET STORAGE EXTERNAL, ALTER b SET STATISTICS 300, ALTER b SET (n_distinct = -0.5, n_distinct_inherited = 7),
                        ALTER c SET STORAGE EXTERNAL, ALTER c SET STATISTICS 300, SET (toast.autovacuum_enabled = false, toast.vacuum_truncate = false);
                    ALTER TABLE shop.kept CLUSTER ON by_b;
                    COMMENT ON TABLE shop.kept IS 'old';
                    COMMENT ON COLUMN shop.kept.b IS 'old';
                    COMMENT ON COLUMN shop.kept.c IS 'old';
                    COMMENT ON INDEX shop.by_b IS 'old';
                    COMMENT ON INDEX shop.by_c IS 'old';
                    -- as servers since 15.20 keep it
                    SET allow_system_table_mods = on;
                    UPDATE pg_attribute SET attoptions = array_prepend('pg_attver=22251816', attoptions) WHERE attrelid = 'shop.kept'::regclass AND attnum > 0""");
            target.execute(table + """
                    ALTER TABLE shop.kept ALTER b SET STORAGE MAIN, ALTER b SET STATISTICS 500, ALTER b SET (n_distinct = -0.1),
                        SET (toast.autovacuum_enabled = true);
                    ALTER TABLE shop.kept CLUSTER ON by_c;
                    COMMENT ON TABLE shop.kept IS 'new';
                    COMMENT ON COLUMN shop.kept.b IS 'new';
                    COMMENT ON INDEX shop.by_b IS 'new'""");
            SchemaCopier copier = new SchemaCopier(pair);
            copier.beforeLoad(() -> {});
            copier.afterLoad();
            assertThat(target.texts(
                            "SELECT format('%s %s %s %s', attname, attstorage, attstattarget, attoptions) FROM pg_attribute"
                                    + " WHERE attrelid = 'shop.kept'::regclass AND attnum > 1 ORDER BY 1"))
                    .containsExactly("b m 500 {n_distinct=-0.1,n_distinct_inherited=7}", "c e 300 ");
            assertThat(target.texts(
                            "SELECT unnest(t.reloptions) FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid"
                                    + " WHERE c.oid = 'shop.kept'::regclass ORDER BY 1"))
                    .containsExactly("autovacuum_enabled=true", "vacuum_truncate=false");
            assertThat(target.texts("SELECT indexrelid::regclass::text FROM pg_index WHERE indisclustered"))
                    .containsExactly("shop.by_c");
            assertThat(target.texts(
                            "SELECT o.identity || ' ' || description FROM pg_description d, pg_identify_object(classoid, objoid, objsubid) AS o"
                                    + " WHERE objoid > 16383 AND o.identity ~ '^shop' ORDER BY 1"))
                    .containsExactly(
                            "shop.by_b new", "shop.by_c old", "shop.kept new", "shop.kept.b new", "shop.kept.c old");
        }
    }

    @Test
    void rolesOfANewerServerGetNoMoreThanTheyHad() {
        try (var servers = PostgresServers.start(18, 15);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            source.execute("""
                    CREATE ROLE lead;
                    CREATE ROLE app;
                    CREATE ROLE keeper;
                    GRANT lead TO keeper WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
                    GRANT lead TO app WITH INHERIT FALSE, SET TRUE;
                    ALTER ROLE app SET transaction_timeout = '5s';
                    ALTER ROLE app SET work_mem = '8MB'""");
            new RoleCopier(servers.pair()).copy(source, target);
            assertThat(target.texts("SELECT member::regrole FROM pg_auth_members WHERE roleid = 'lead'::regrole"))
                    .containsExactly("app");
            assertThat(target.texts("SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = 'app'"))
                    .as("what the older one does not know")
                    .containsExactly("work_mem=8MB");
        }
    }

    /** Their queries say what the rows of the moment allow. */
    @Test
    void aMaterializedViewThatCannotBeFilledHoldsNothingBackButIsNamed() {
        try (var servers = PostgresServers.start(18, 18);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = made(servers);
            source.execute("""
                    CREATE SCHEMA shop;
                    CREATE TABLE shop.rows (a int PRIMARY KEY);
                    CREATE MATERIALIZED VIEW shop.never AS SELECT 1 / (a - 1) FROM shop.rows WITH NO DATA;
                    CREATE MATERIALIZED VIEW shop.fragile AS SELECT 1 / (a - 1) FROM shop.rows;
                    CREATE MATERIALIZED VIEW shop.of_fragile AS SELECT count(*) FROM shop.fragile;
                    CREATE VIEW shop.between AS SELECT 1::bigint AS n;
                    CREATE MATERIALIZED VIEW shop.first AS SELECT n FROM shop.between;
                    CREATE MATERIALIZED VIEW shop.second AS SELECT count(*) AS n FROM shop.rows;
                    CREATE OR REPLACE VIEW shop.between AS SELECT n FROM shop.second""");
            SchemaCopier copier = new SchemaCopier(pair);
            copier.beforeLoad(() -> {});
            target.execute("INSERT INTO shop.rows VALUES (1), (2)");
            copier.afterLoad();
            assertThat(target.texts("SELECT relname FROM pg_class WHERE relkind = 'm' AND relispopulated ORDER BY 1"))
                    .containsExactly("first", "second");
            assertThat(target.number("SELECT n FROM shop.first")).isEqualTo(2);
            List<String> named = List.of(
                    "materialized view shop.fragile (not populated)",
                    "materialized view shop.of_fragile (not populated)");
            MaterializedViews views = new MaterializedViews(pair);
            views.fillAgain(Role.SOURCE, () -> {});
            assertThat(copier.compare(Role.SOURCE).missing()).isEqualTo(named);
            target.execute("DELETE FROM shop.rows WHERE a = 1");
            // Whoever asks for them ends what takes long.
            target.execute("BEGIN; COMMENT ON MATERIALIZED VIEW shop.fragile IS 'held'");
            views.fillAgain(Role.SOURCE, () -> {});
            assertThatThrownBy(() -> views.fillAgain(Role.SOURCE, () -> {
                        throw new CancellationException("given up");
                    }))
                    .hasMessage("given up");
            target.execute("ROLLBACK");
            assertThat(copier.compare(Role.SOURCE).missing()).isEqualTo(named);
            views.fillAgain(Role.SOURCE, () -> {});
            assertThat(copier.compare(Role.SOURCE).missing()).isEmpty();
            assertThat(target.texts("SELECT relname FROM pg_class WHERE relkind = 'm' AND NOT relispopulated"))
                    .containsExactly("never");
        }
    }

    /** The target's version of one of them lacks a function. */
    @Test
    void grantsOnWhatExtensionsMadeAndCommentsOnRolesAreCopied() {
        try (var servers = PostgresServers.start(18, 14);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = made(servers);
            source.execute("""
                    CREATE ROLE app;
                    COMMENT ON ROLE app IS 'the shop''s';
                    CREATE EXTENSION pg_stat_statements SCHEMA public;
                    CREATE EXTENSION pg_trgm SCHEMA public;
                    REVOKE SELECT ON public.pg_stat_statements FROM PUBLIC;
                    GRANT SELECT ON public.pg_stat_statements TO app;
                    GRANT SELECT (stats_reset) ON public.pg_stat_statements_info TO app WITH GRANT OPTION;
                    GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset(oid, oid, bigint, boolean) TO app;
                    REVOKE EXECUTE ON FUNCTION public.similarity(text, text) FROM PUBLIC;
                    REVOKE USAGE ON TYPE public.gtrgm FROM PUBLIC""");
            new RoleCopier(pair).copy(source, target);
            SchemaCopier copier = new SchemaCopier(pair);
            copier.beforeLoad(() -> {});
            copier.beforeLoad(() -> {});
            assertThat(target.text("SELECT shobj_description('app'::regrole, 'pg_authid')"))
                    .contains("the shop's");
            // To whom else but the owner.
            String grants = """
                    SELECT format('%s %s %s', what, grantee::regrole, is_grantable) FROM (
                        SELECT relname AS what, relacl AS acl FROM pg_class WHERE relname = 'pg_stat_statements'
                        UNION ALL SELECT attname, attacl FROM pg_attribute WHERE attrelid = 'public.pg_stat_statements_info'::regclass AND attacl IS NOT NULL
                        UNION ALL SELECT proname, proacl FROM pg_proc WHERE proname = 'similarity'
                        UNION ALL SELECT typname, typacl FROM pg_type WHERE typname = 'gtrgm') AS o, aclexplode(coalesce(acl, acldefault('f', 10))) AS a
                    WHERE grantee IN (0, 'app'::regrole) ORDER BY 1""";
            assertThat(target.texts(grants))
                    .containsExactly("pg_stat_statements app f", "stats_reset app t")
                    .isEqualTo(source.texts(grants));
        }
    }

    /** By itself nothing of it is another thing, whatever version prints it, and whichever side is followed. */
    @ParameterizedTest
    @CsvSource({"14, 18", "18, 14", "15, 18", "18, 15", "16, 17", "17, 16"})
    void whatEdenHasMadeItselfIsTheSame(int from, int to) {
        try (var servers = PostgresServers.start(from, to);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = made(servers);
            source.execute("SET search_path = public");
            source.execute(RichSchema.SQL);
            source.execute(RichSchema.PARSED);
            if (Math.min(from, to) >= 15) {
                source.execute("CREATE UNIQUE INDEX none ON shop.parent (b) NULLS NOT DISTINCT");
            }
            source.execute("SET search_path = pg_catalog");
            new RoleCopier(pair).copy(source, target);
            SchemaCopier copier = new SchemaCopier(pair);
            copier.beforeLoad(() -> {});
            copier.afterLoad();
            assertThat(copier.compare(Role.SOURCE).missing()).isEmpty();
            assertThat(copier.compare(Role.TARGET).missing()).isEmpty();
            assertThat(UserTables.publishedFor(target, source))
                    .as("without lists of columns")
                    .isEqualTo(UserTables.published(target));
            List<String> differing = new ArrayList<>(OwnDefinitions.differing(source, target));
            RelationKinds.compare(source, target, differing, differing);
            TypeKinds.compare(source, target, differing, differing);
            Restrictions here = Restrictions.of(source);
            Set<String> tables =
                    here.indexes().stream().map(Restrictions.Index::table).collect(Collectors.toSet());
            Restrictions.of(target).beyond(here, tables, differing, differing);
            assertThat(differing).isEmpty();

            // Later, by hand.
            target.execute(
                    "DROP INDEX shop.by_name; CREATE INDEX by_name ON shop.customer (name);"
                            + "ALTER TABLE shop.later DROP CONSTRAINT later_b_fkey, ADD CONSTRAINT later_b_fkey FOREIGN KEY (b) REFERENCES shop.later");
            assertThat(copier.compare(Role.SOURCE).missing())
                    .containsExactlyInAnyOrder("index shop.by_name", "constraint shop.later.later_b_fkey");
        }
    }

    private static Pair made(PostgresServers servers) {
        Pair pair = servers.pair();
        for (String id : List.of("source", "target")) {
            try (PostgresSession session = servers.own(id)) {
                EdenRoles.create(session, PostgresServers.MIGRATION, servers.endpoint(id), servers.records);
                EdenSchema.create(session, pair.names());
            }
        }
        return pair;
    }

    /** Whoever aborts does not wait for thousands of tables. */
    @Test
    void isGivenUpBetweenObjectsAndCompletedByTheNext() {
        try (var servers = PostgresServers.start(15, 15);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            Pair pair = made(servers);
            target.execute("CREATE TABLE public.there (id int PRIMARY KEY)");
            source.execute("CREATE TABLE public.one (id int PRIMARY KEY)");
            source.execute("CREATE TABLE public.two (id int PRIMARY KEY)");
            SchemaCopier copier = new SchemaCopier(pair);
            AtomicInteger looks = new AtomicInteger();
            assertThatThrownBy(() -> copier.beforeLoad(() -> {
                        if (looks.incrementAndGet() == 2) {
                            throw new CancellationException("given up");
                        }
                    }))
                    .hasMessage("given up");
            assertThat(looks).hasValue(2);
            copier.beforeLoad(() -> {});
            assertThat(target.is(
                            "SELECT to_regclass('public.one') IS NOT NULL AND to_regclass('public.two') IS NOT NULL"))
                    .isTrue();
        }
    }
}
