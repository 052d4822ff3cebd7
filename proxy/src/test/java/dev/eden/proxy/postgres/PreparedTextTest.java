package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreparedTextTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "PREPARE p AS SELECT 1 | PREPARE p AS SELECT 1",
                "; /* ; */ prepare P(int) AS SELECT ';', $1 -- ; x | /* ; */ prepare P(int) AS SELECT ';', $1 -- ; x",
                "INSERT INTO t VALUES (1); PREPARE p AS SELECT 1; EXECUTE p | PREPARE p AS SELECT 1",
                "PREPARE q AS SELECT 1; PREPARE \"p\" AS SELECT $$;$$; PREPARE r AS SELECT 3 | PREPARE \"p\" AS SELECT $$;$$",
            })
    void isTheOneOfThatName(String text, String one) {
        assertThat(String.valueOf(PreparedText.of("p", text, true)).strip()).isEqualTo(one);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "PREPARE p AS SELECT 1; DEALLOCATE p; PREPARE p AS SELECT 2 | true",
                "PREPARE q AS SELECT 1 | true",
                "SELECT 1 | true",
                "PREPARE | true",
                "PREPARE p AS SELECT '\\' | false",
            })
    void isNoneWhereTheTextDoesNotTell(String text, boolean plainBackslashes) {
        assertThat(PreparedText.of("p", text, plainBackslashes)).isNull();
    }
}
