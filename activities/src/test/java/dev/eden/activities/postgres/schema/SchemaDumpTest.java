package dev.eden.activities.postgres.schema;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SchemaDumpTest {
    private static final String DUMPED = """
            SET idle_in_transaction_session_timeout = 0;
            SET transaction_timeout = 0;
            SET client_encoding = 'UTF8';
            CREATE SCHEMA public;
            CREATE SCHEMA shop;
            """;

    /** A client of 17 or later says it to every server, whether that knows the setting or not. */
    @Test
    void anOlderServerIsNotToldOfSettingsThatItDoesNotKnow() {
        assertThat(SchemaDump.script(DUMPED, 16)).isEqualTo("""
                SET idle_in_transaction_session_timeout = 0;
                SET client_encoding = 'UTF8';
                CREATE SCHEMA shop;
                """);
        assertThat(SchemaDump.script(DUMPED, 17))
                .contains("transaction_timeout")
                .doesNotContain("SCHEMA public");
    }

    @Test
    void whatAServerNotesOfColumnsForItselfIsNotCopied() {
        assertThat(SchemaDump.script("""
                ALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=22159328);
                ALTER TABLE ONLY public."a b" ALTER COLUMN "c$1" SET (pg_attver=22251816, n_distinct=5);
                ALTER TABLE ONLY public.t ALTER COLUMN d SET (n_distinct=-0.5, pg_attver=1, n_distinct_inherited=7);
                ALTER TABLE ONLY public.t ALTER COLUMN e SET STATISTICS 300;
                SELECT 'ALTER TABLE t SET (pg_attver=1)';
                """, 18)).isEqualTo("""

                ALTER TABLE ONLY public."a b" ALTER COLUMN "c$1" SET (n_distinct=5);
                ALTER TABLE ONLY public.t ALTER COLUMN d SET (n_distinct=-0.5, n_distinct_inherited=7);
                ALTER TABLE ONLY public.t ALTER COLUMN e SET STATISTICS 300;
                SELECT 'ALTER TABLE t SET (pg_attver=1)';
                """);
    }
}
