package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.replication.CarriedChange.Kept;
import dev.eden.activities.postgres.replication.CarriedChange.TakenBack;
import dev.eden.activities.postgres.replication.CarriedChange.Unlike;
import java.util.List;
import org.junit.jupiter.api.Test;

class CarriedChangeTest {
    /** A column more, and a wider one. */
    private static final CarriedChange CHANGE = new CarriedChange(
            1,
            "now",
            2,
            "shop.events",
            List.of("mood", "n"),
            List.of("shop.mood", "bigint"),
            "ALTER TABLE shop.events " + CarriedChange.drop("mood") + ", " + CarriedChange.retype("n", "integer"));

    @Test
    void whatTheOwnerHasStays() {
        assertThat(CHANGE.outcome(List.of("shop.mood", "bigint"))).isEqualTo(new Kept());
        assertThat(CHANGE.outcome(List.of("shop.mood", "numeric")))
                .as("widened once more")
                .isEqualTo(new Kept());
    }

    @Test
    void whatTheOwnerHasNotIsTakenBack() {
        assertThat(CHANGE.outcome(List.of("", "integer")))
                .isEqualTo(new TakenBack(List.of("DROP COLUMN \"mood\"", "ALTER COLUMN \"n\" TYPE integer")));
        assertThat(CHANGE.outcome(List.of("", "smallint")))
                .as("an earlier change of the same transaction has come to nothing, too")
                .isEqualTo(new TakenBack(List.of("DROP COLUMN \"mood\"", "ALTER COLUMN \"n\" TYPE smallint")));
        assertThat(CHANGE.outcome(List.of("", "bigint")))
                .as("somebody else has widened it since")
                .isEqualTo(new TakenBack(List.of("DROP COLUMN \"mood\"")));
        assertThat(CHANGE.outcome(List.of("", "")))
                .as("another change has added it, and takes it back")
                .isEqualTo(new TakenBack(List.of("DROP COLUMN \"mood\"")));
    }

    @Test
    void whatTheOwnerHasOtherwiseIsNotTouched() {
        assertThat(CHANGE.outcome(List.of("other.mood", "bigint")))
                .isEqualTo(new Unlike("\"mood\"", "shop.mood", "other.mood"));
        assertThat(CHANGE.outcome(List.of("shop.mood", "shop.amount")))
                .isEqualTo(new Unlike("\"n\"", "bigint", "shop.amount"));
        CarriedChange added = new CarriedChange(
                1,
                "now",
                2,
                "shop.events",
                List.of("n"),
                List.of("bigint"),
                "ALTER TABLE shop.events " + CarriedChange.drop("n"));
        assertThat(added.outcome(List.of("integer")))
                .as("narrower, but it has rows there")
                .isEqualTo(new Unlike("\"n\"", "bigint", "integer"));
    }
}
