package dev.eden.activities.postgres.validation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.validation.KeyedComparison.Range;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InOrderTest {
    private static final List<Range> RANGES = List.of(
            new Range(false, null, List.of("1")),
            new Range(false, List.of("1"), List.of("2")),
            new Range(false, List.of("2"), List.of("3")),
            new Range(false, List.of("3"), null));

    private final Tally total = new Tally(2);
    private final List<Range> told = new ArrayList<>();
    private final InOrder counts = new InOrder(RANGES, total, told::add);

    @Test
    void whatEndsEarlyIsCountedWithWhatIsBeforeIt() {
        counts.ended(1, rows(10, 1));
        assertThat(compared()).isZero();
        assertThat(told).containsExactly(RANGES.getFirst());
        counts.ended(0, rows(1, 1));
        assertThat(compared()).isEqualTo(11);
        assertThat(told).last().isEqualTo(RANGES.get(2));
        counts.ended(3, rows(1000, 1));
        assertThat(compared()).isEqualTo(11);
        counts.ended(2, rows(100, 0));
        assertThat(compared()).isEqualTo(1111);
        assertThat(told).as("the last is the end").hasSize(3);
        assertThat(cursor().found()).isEqualTo(3);
        assertThat(cursor().sample()).as("no more than it takes").hasSize(2);
    }

    private static Tally rows(long compared, int different) {
        Tally counted = new Tally(2);
        counted.compared(compared);
        for (int i = 0; i < different; i++) {
            counted.different("key", "value", "", false);
        }
        return counted;
    }

    private long compared() {
        return cursor().compared();
    }

    private PostgresValidation.Cursor cursor() {
        var start = new PostgresValidation.Cursor("", "", "", List.of(), 0, 0, 0, 0, List.of(), 0, null, null, null);
        return total.cursor(start, null, null);
    }
}
