package dev.eden.activities.postgres.schema;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlainTextTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "CHECK (((b)::text <> ''::text)) | CHECK ((b <> ''::text))",
                "CHECK (((b)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying(9)])::text[]))) | CHECK ((b = ANY (ARRAY['x'::text, 'y'::text])))",
                "CHECK ((a > (0)::numeric)) | CHECK ((a > 0))",
                "CHECK ((a > '2000-01-01 00:00:00'::timestamp(3) without time zone)) | CHECK ((a > '2000-01-01 00:00:00'::timestamp without time zone))",
                "USING btree (lower((c)::text), \"Odd\") | USING btree (lower(c), \"Odd\")",
                "CHECK ((m = 'x'::public.\"Mood\")) | CHECK ((m = 'x'::public.mood))",
                "CHECK ((\"json\" <> ''::text)) | CHECK ((json <> ''::text))",
                "CHECK ((((x >= 1) AND (x <= 5)) AND (y > 0))) | CHECK (((x >= 1) AND (x <= 5) AND (y > 0)))",
                "CHECK (((b)::text = ANY ((ARRAY['it''s'::character varying, 'a)'::character varying])::text[]))) | CHECK (((b)::text = ANY (ARRAY[('it''s'::character varying)::text, ('a)'::character varying)::text])))",
            })
    void castsMakeNoDifference(String one, String other) {
        assertThat(PlainText.of(one)).isEqualTo(PlainText.of(other));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "USING btree (a, b) | USING btree (a)",
                "USING btree (lower(c)) | USING btree (c)",
                "CHECK ((a > 0)) | CHECK ((a >= 0))",
            })
    void meaningDoes(String one, String other) {
        assertThat(PlainText.of(one)).isNotEqualTo(PlainText.of(other));
    }
}
