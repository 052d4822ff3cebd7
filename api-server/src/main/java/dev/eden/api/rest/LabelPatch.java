package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.FieldError;
import dev.eden.api.problem.Problem;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a PATCH makes of the labels there are: those that it names are set, others stay.
 *
 * @param named null takes one away
 */
record LabelPatch(Map<String, @Nullable String> named) implements UnaryOperator<Map<String, String>> {
    @Override
    public Map<String, String> apply(Map<String, String> present) {
        Map<String, String> labels = new TreeMap<>(present);
        named.forEach((name, value) -> {
            if (value == null) {
                labels.remove(name);
            } else {
                labels.put(name, value);
            }
        });
        if (labels.size() > Fields.LABELS) {
            throw new Problem(
                    ErrorCode.INVALID_FIELDS,
                    "one field is not right",
                    List.of(new FieldError(
                            "/labels",
                            "there would be " + labels.size() + " labels, and at most " + Fields.LABELS
                                    + " are kept")));
        }
        return labels;
    }
}
