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
}
