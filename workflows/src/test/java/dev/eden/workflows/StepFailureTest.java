package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import io.temporal.failure.ApplicationFailure;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepFailureTest {

    /** People read it; which class of Eden's threw it tells them nothing. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            dev.eden.activities.postgres.PostgresException | FATAL: no entry | FATAL: no entry
            dev.eden.activities.postgres.PostgresException | | PostgresException
            java.lang.IllegalStateException | another migration | IllegalStateException: another migration
            java.lang.NullPointerException | | NullPointerException
            cleanup_incomplete | target is not clean | cleanup_incomplete: target is not clean""")
    void isALineForPeople(String type, String message, String told) {
        assertThat(StepFailure.reason(new RuntimeException(ApplicationFailure.newFailure(message, type))))
                .isEqualTo(told);
    }
}
