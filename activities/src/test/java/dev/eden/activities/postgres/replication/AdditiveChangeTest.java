package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.postgres.replication.AdditiveChange.Columns;
import dev.eden.activities.postgres.replication.AdditiveChange.Index;
import dev.eden.activities.postgres.replication.AdditiveChange.NotAdditive;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdditiveChangeTest {
    @Test
    void columnsAreAddedAndTypesWidened() throws NotAdditive {
        assertThat(AdditiveChange.of("ALTER TABLE shop.events ADD COLUMN more int"))
                .isEqualTo(new Columns(List.of("more"), List.of(), false));
        assertThat(
                        AdditiveChange.of(
                                "alter table only \"Shop\".\"a \"\"b\"\"\" add \"X\" numeric(10, 2) not null default -1.5, ALTER y SET DATA TYPE bigint;"))
                .isEqualTo(new Columns(List.of("X"), List.of("y"), true));
        assertThat(AdditiveChange.of(
                        "ALTER TABLE IF EXISTS t ADD j jsonb DEFAULT '{\"a\": 1, \"now\": 2}'::jsonb NOT NULL"))
                .isEqualTo(new Columns(List.of("j"), List.of(), true));
        assertThat(
                        AdditiveChange.of(
                                "/* app: 'shop' ** / */-- v2\nALTER TABLE t /**/ ADD -- one\n COLUMN a int /* DEFAULT now() */; -- done"))
                .isEqualTo(new Columns(List.of("a"), List.of(), false));
        assertThat(AdditiveChange.of("ALTER TABLE t ADD COLUMN at timestamp with time zone DEFAULT NULL"))
                .isEqualTo(new Columns(List.of("at"), List.of(), false));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "timestamptz NOT NULL DEFAULT '2024-01-01 00:00:00+00'",
                "timestamp(3) with time zone DEFAULT '2024-01-01T00:00Z'::timestamptz",
                "timestamptz DEFAULT 'infinity'",
                "timestamp DEFAULT '2024-01-01 12:30'",
                "date DEFAULT '2024-01-31' NOT NULL",
                "time DEFAULT '12:30'",
                "timetz DEFAULT '12:30+02'",
                "interval DEFAULT '1 day 02:00'",
                "interval DEFAULT 'P-1D'",
                "date[] DEFAULT '{}'",
                "tstzrange DEFAULT 'empty'",
                "money DEFAULT NULL",
                "text DEFAULT '01/02/2024'",
                "numeric DEFAULT '1.5'::numeric(10, -2)",
                "text[] DEFAULT '{a}'::character varying(10)[]::text[]",
                "shop.mood DEFAULT 'fine'::shop.\"mood\""
            })
    void constantsThatEverySessionReadsAlike(String column) throws NotAdditive {
        assertThat(AdditiveChange.of("ALTER TABLE t ADD COLUMN a " + column))
                .isEqualTo(
                        new Columns(List.of("a"), List.of(), !column.endsWith("NULL") || column.contains("NOT NULL")));
    }

    /** By time zone, order of dates, style of intervals, locale of money, search path. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "timestamptz NOT NULL DEFAULT '2024-01-01'",
                "timestamp with time zone DEFAULT '2024-01-01 12:00'",
                "\"timestamptz\" DEFAULT '2024-01-01 12:00 CET'",
                "date DEFAULT '01/02/2024'",
                "timestamp DEFAULT '1.2.2024 10:00' NOT NULL",
                "timetz DEFAULT '12:30'",
                "interval DEFAULT '-1 2:03:04'",
                "money DEFAULT '1.00'",
                "money DEFAULT 1",
                "text DEFAULT '2024-01-01'::timestamptz::text",
                "pg_catalog.timestamptz[] DEFAULT '{2024-01-01}'",
                "_date DEFAULT '{2024-01-01}'",
                "daterange DEFAULT '[01/02/2024,)'",
                "regclass DEFAULT 'events'"
            })
    void constantsThatSessionsReadDifferently(String column) {
        assertThatThrownBy(() -> AdditiveChange.of("ALTER TABLE t ADD COLUMN a " + column))
                .isInstanceOf(NotAdditive.class)
                .hasMessageContaining("settings");
    }

    @Test
    void indexesThatRefuseNothing() throws NotAdditive {
        assertThat(AdditiveChange.of("CREATE INDEX CONCURRENTLY i ON t (lower(a)) WHERE b > 3"))
                .isEqualTo(new Index(true));
        assertThat(AdditiveChange.of("create index on t (a);")).isEqualTo(new Index(false));
        assertThat(AdditiveChange.of("/* unique */ --\n CREATE INDEX CONCURRENTLY ON t (a)"))
                .isEqualTo(new Index(true));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER TABLE t DROP COLUMN a",
                "ALTER TABLE t ADD COLUMN a int, DROP COLUMN b",
                "ALTER TABLE t ADD COLUMN a int; DROP TABLE t",
                "CREATE INDEX ON t (a); DROP TABLE t",
                "ALTER TABLE t ADD COLUMN a int NOT NULL",
                "ALTER TABLE t ADD COLUMN a timestamptz DEFAULT now()",
                "ALTER TABLE t ADD COLUMN a timestamptz DEFAULT ' Now'",
                "ALTER TABLE t ADD COLUMN a int DEFAULT 1 + random()",
                "ALTER TABLE t ADD COLUMN a uuid DEFAULT gen_random_uuid()",
                "ALTER TABLE t ADD COLUMN a timestamptz DEFAULT '30 days'::interval + now()",
                "ALTER TABLE t ADD COLUMN a float8 DEFAULT 0::float8 + random()",
                "ALTER TABLE t ADD COLUMN a boolean DEFAULT 'app'::name IS DISTINCT FROM current_user",
                "ALTER TABLE t ADD COLUMN a timestamp DEFAULT '2024-01-01 00:00+00'::timestamptz AT TIME ZONE 'CET'",
                "ALTER TABLE t ADD COLUMN a text DEFAULT 'a'::text COLLATE \"C\"",
                "ALTER TABLE t ADD COLUMN a int REFERENCES u",
                "ALTER TABLE t ADD COLUMN a int UNIQUE",
                "ALTER TABLE t ADD COLUMN a int CHECK (a > 1)",
                "ALTER TABLE t ADD COLUMN a bigserial",
                "ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS IDENTITY",
                "ALTER TABLE t ADD PRIMARY KEY (a)",
                "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1)",
                "ALTER TABLE t ADD NOT NULL a",
                "ALTER TABLE t ALTER a TYPE int USING a::int",
                "ALTER TABLE t ALTER a SET NOT NULL",
                "ALTER TABLE t RENAME TO u",
                "ALTER TABLE t /* a /* b */ */ ADD COLUMN a int",
                "/* a /* b */ ALTER TABLE u ADD COLUMN a int */ ALTER TABLE t ADD COLUMN a int",
                "ALTER TABLE t ADD COLUMN a int /* ; */; DROP TABLE t",
                "ALTER TABLE t ADD COLUMN a int -- no\r; DROP TABLE t",
                "ALTER TABLE t ADD COLUMN a text DEFAULT $$x$$",
                "ALTER TABLE t ADD COLUMN a int DEFAULT 1 /* plus */ + random()",
                "/* CREATE */ CREATE UNIQUE INDEX ON t (a)",
                "CREATE UNIQUE INDEX ON t (a)",
                "SELECT change()",
                ""
            })
    void everythingElseIsNot(String statement) {
        assertThatThrownBy(() -> AdditiveChange.of(statement)).isInstanceOf(NotAdditive.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "integer|bigint|true",
                "bigint|integer|false",
                "smallint|numeric|true",
                "character varying(10)|character varying(20)|true",
                "character varying(20)|character varying(10)|false",
                "character varying(20)|text|true",
                "character varying|character varying(20)|false",
                "numeric(8,2)|numeric(10,2)|true",
                "numeric(8,2)|numeric(10,3)|false",
                "text|character varying|true",
                "real|double precision|false",
                "timestamp without time zone|timestamp with time zone|false"
            })
    void wider(String from, String to, boolean wider) {
        assertThat(AdditiveChange.wider(from, to)).isEqualTo(wider);
    }
}
