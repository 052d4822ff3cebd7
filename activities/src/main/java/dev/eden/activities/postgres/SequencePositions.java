package dev.eden.activities.postgres;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Where sequences begin that have given out nothing since they were made, restarted or positioned with {@code setval(…, false)}: {@code pg_sequences} has
 * no value of them, only the sequence's own relation has.
 */
public final class SequencePositions {
    /** Relations of one statement: each takes a lock, of which a server has some thousands. */
    public static final int TOGETHER = 500;

    private SequencePositions() {}

    /** A query with columns {@code name, value} of sequences, named as they are quoted, whether used or not. */
    public static String query(List<String> names) {
        return names.stream()
                .map(name -> "SELECT '" + name.replace("'", "''") + "' AS name, last_value AS value FROM " + name)
                .collect(Collectors.joining(" UNION ALL "));
    }

    /** By name, as they are quoted. */
    public static Map<String, Long> read(PostgresSession session, List<String> names) {
        Map<String, Long> all = new HashMap<>();
        for (int i = 0; i < names.size(); i += TOGETHER) {
            session.query(
                    query(names.subList(i, Math.min(names.size(), i + TOGETHER))),
                    row -> all.put(Objects.requireNonNull(row.getString(1)), row.getLong(2)));
        }
        return all;
    }
}
