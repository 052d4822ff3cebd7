package dev.eden.activities.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.redis.validation.ValidationCursor;
import dev.eden.activities.store.DifferenceKinds.Count;
import dev.eden.activities.store.ValidationLedger.Check;
import dev.eden.workflows.HistoryJson;
import io.temporal.api.common.v1.Payload;
import io.temporal.common.converter.DataConverter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is counted of differences, and that a comparison which goes on elsewhere keeps it. */
class DifferenceKindsTest {
    private static final DataConverter CONVERTER = HistoryJson.converter();

    private final DifferenceKinds kinds = DifferenceKinds.NONE
            .plus("missing", true)
            .plus("extra", true)
            .plus("value", true)
            .plus("value", false);

    @Test
    void eachKindIsCountedByItself() {
        assertThat(kinds.counts())
                .isEqualTo(Map.of("missing", new Count(1, 1), "extra", new Count(1, 1), "value", new Count(2, 1)));
        assertThat(kinds.of("missing", "extra", "ttl")).isEqualTo(new Count(2, 2));
        assertThat(DifferenceKinds.NONE.counts()).isEmpty();
    }

    @Test
    void aCheckIsEqualRepairedOrDifferent() {
        assertThat(Check.of("expiries", "keys", 9, kinds.of("ttl")))
                .isEqualTo(new Check("expiries", "keys", 9, 0, 0, "equal"));
        assertThat(Check.of("keys", "keys", 9, kinds.of("missing")).outcome()).isEqualTo("repaired");
        assertThat(Check.of("values", "keys", 9, kinds.of("value")).outcome()).isEqualTo("different");
    }

    @Test
    void heartbeatsCarryThem() {
        var redis = new ValidationCursor("r", "s", "p", "source", 0, "0", 9, 4, 4, 3, List.of(), kinds);
        assertThat(there(redis, ValidationCursor.class)).isEqualTo(redis);
        var postgres =
                new PostgresValidation.Cursor("r", "s", "p", List.of(), 9, 4, 4, 3, List.of(), 2, kinds, null, "t");
        assertThat(there(postgres, PostgresValidation.Cursor.class)).isEqualTo(postgres);
    }

    @Test
    void heartbeatsOfBeforeSayNothingOfThem() {
        record Keys(String report, long keysCompared) {}
        record Rows(String report, List<String> done, List<String> sample, long compared) {}
        ValidationCursor redis = there(new Keys("r", 9), ValidationCursor.class);
        assertThat(redis.kinds()).isNull();
        assertThat(redis.keysCompared()).isEqualTo(9);
        var rows = new Rows("r", List.of("t"), List.of(), 9);
        var postgres = there(rows, PostgresValidation.Cursor.class);
        assertThat(postgres.kinds()).isNull();
        assertThat(postgres.compared()).isEqualTo(9);
    }

    private static <T> T there(Object value, Class<T> as) {
        Payload payload = CONVERTER.toPayload(value).orElseThrow();
        return CONVERTER.fromPayload(payload, as, as);
    }
}
