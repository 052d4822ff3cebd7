package dev.eden.activities.postgres.cutover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.validation.KeyColumn;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowSampleIT {
    /** Their operators are in a schema that no session of Eden's searches; on the target even in another one. */
    @Test
    void findsRowsByKeysOfExtensionsTypes() {
        EdenObjects names = EdenObjects.of(PostgresServers.MIGRATION);
        try (var servers = PostgresServers.start(16, 18);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            source.execute("CREATE SCHEMA types");
            target.execute("CREATE SCHEMA other");
            make(source, "types");
            make(target, "other");
            source.execute("CREATE PUBLICATION " + Sql.name(names.main()) + " FOR ALL TABLES");
            RowSample sample = RowSample.prepare(source, target, names);
            assertThat(sample.differing(source, target)).isEmpty();
            target.execute("UPDATE public.paths SET note = 'y' WHERE path::text = 'top.n499'");
            target.execute("DELETE FROM public.words WHERE word::text = 'W99'");
            target.execute("UPDATE public.turned SET note = 'y' WHERE b = 77");
            assertThat(sample.differing(source, target))
                    .containsExactlyInAnyOrder("public.paths", "public.words", "public.turned");
            assertThat(sample.tables())
                    .as("without one that has another key there")
                    .isEqualTo(4);
        }
    }

    /** No index gives their newest rows, and their index's operators are none of an order. */
    @Test
    void leavesOutKeysWithoutOverlaps() {
        EdenObjects names = EdenObjects.of(PostgresServers.MIGRATION);
        try (var servers = PostgresServers.start(18, 18);
                PostgresSession source = servers.own("source");
                PostgresSession target = servers.own("target")) {
            for (PostgresSession session : List.of(source, target)) {
                session.execute("""
                        CREATE EXTENSION btree_gist;
                        CREATE TABLE public.booked (room int, during int4range, PRIMARY KEY (room, during WITHOUT OVERLAPS));
                        INSERT INTO public.booked SELECT 1, int4range(i, i + 1) FROM generate_series(1, 9) AS i""");
            }
            source.execute("CREATE PUBLICATION " + Sql.name(names.main()) + " FOR ALL TABLES");
            assertThat(RowSample.prepare(source, target, names).tables()).isZero();
            assertThat(KeyColumn.of(source, "public.booked"))
                    .extracting(KeyColumn::less, KeyColumn::upTo, KeyColumn::equal, KeyColumn::greater)
                    .containsOnly(tuple("<", "<=", "=", ">"));
        }
    }

    private static void make(PostgresSession session, String types) {
        session.execute("""
                CREATE EXTENSION ltree SCHEMA TYPES;
                CREATE EXTENSION citext SCHEMA TYPES;
                CREATE TABLE public.paths (region int, path TYPES.ltree, note text, PRIMARY KEY (region, path));
                INSERT INTO public.paths SELECT i / 400, ('top.n' || i)::TYPES.ltree, 'x' FROM generate_series(1, 499) AS i;
                CREATE TABLE public.words (word TYPES.citext PRIMARY KEY, note text);
                INSERT INTO public.words SELECT CASE WHEN i % 2 = 0 THEN 'w' ELSE 'W' END || i, 'x' FROM generate_series(1, 99) AS i;
                CREATE TABLE public.plain (a char(3) PRIMARY KEY, note text);
                INSERT INTO public.plain VALUES ('a', 'x'), ('abc', 'y');
                CREATE TABLE public.turned (a int, b int, note text, PRIMARY KEY (KEY));
                INSERT INTO public.turned SELECT 0, i, 'x' FROM generate_series(1, 77) AS i;
                CREATE TABLE public.keyed (a int, b int, note text, PRIMARY KEY (a, b))""".replace("TYPES", types).replace("(KEY)", types.equals("types") ? "(a, b)" : "(b, a)"));
        session.execute(
                types.equals("types")
                        ? "SELECT 1"
                        : "ALTER TABLE public.keyed DROP CONSTRAINT keyed_pkey, ADD PRIMARY KEY (a)");
    }
}
