package dev.eden.api.rest;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * One page of a list, as all lists of the API have it: what is asked for by {@code after} and {@code limit}, beside it {@code next}: the
 * following page's {@code after}, null on the last one.
 */
final class Listing {
    private static final int USUAL = 100;
    private static final int MOST = 1_000;

    private Listing() {}

    /**
     * @param member the name of the list in the answer
     * @param rows reads up to so many
     * @param cursor what comes after a row
     */
    static <T> Map<String, @Nullable Object> of(
            String member, @Nullable String limit, IntFunction<List<T>> rows, Function<T, Object> cursor) {
        int count = limit == null ? USUAL : MigrationResource.parameter("limit", limit, 1, MOST);
        List<T> found = rows.apply(count + 1);
        boolean more = found.size() > count;
        List<T> page = more ? found.subList(0, count) : found;
        Map<String, @Nullable Object> answer = new LinkedHashMap<>();
        answer.put(member, page);
        answer.put("next", more ? cursor.apply(page.getLast()) : null);
        return answer;
    }

    /** Of a list whose ids are texts. */
    static String after(@Nullable String after) {
        return after == null ? "" : after;
    }
}
