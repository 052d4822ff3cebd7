package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.schema.SchemaCopier;
import dev.eden.activities.store.DifferenceKinds;
import dev.eden.activities.store.DifferenceKinds.Count;
import dev.eden.activities.store.ValidationLedger.Check;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a comparison has looked at, for whoever asks what an empty list of differences is worth. */
final class Checks {
    private static final String CONSTRAINTS = "constraints";
    private static final String SEQUENCES = "sequences";
    private static final String OBJECTS = "other_objects";

    private Checks() {}

    /** Null where the rows were counted in part by a server that did not tell kinds apart. */
    static @Nullable List<Check> of(
            PostgresValidation.Cursor end, SchemaCopier.Comparison schema, SequenceComparison.Outcome sequences) {
        DifferenceKinds rows = end.kinds();
        if (rows == null) {
            return null;
        }
        Map<String, Integer> wanted = counted(schema.wanted());
        Map<String, Integer> missing = counted(schema.missing());
        int unset = sequences.findings().size() + missing.getOrDefault(SEQUENCES, 0);
        return List.of(
                Check.of("row_count", "rows", end.compared(), rows.of("missing", "extra")),
                Check.of("checksum", "ranges of rows", end.ranges(), rows.of("value")),
                object(CONSTRAINTS, wanted, missing),
                object("indexes", wanted, missing),
                object("triggers", wanted, missing),
                object(OBJECTS, wanted, missing),
                Check.of(SEQUENCES, SEQUENCES, sequences.compared(), remaining(unset)));
    }

    private static Check object(String name, Map<String, Integer> wanted, Map<String, Integer> missing) {
        return Check.of(
                name,
                name.equals(OBJECTS) ? "other objects of the schema" : name,
                wanted.getOrDefault(name, 0),
                remaining(missing.getOrDefault(name, 0)));
    }

    /** Nothing of a schema is repaired. */
    private static Count remaining(int found) {
        return new Count(found, 0);
    }

    private static Map<String, Integer> counted(List<String> objects) {
        Map<String, Integer> counts = new TreeMap<>();
        objects.forEach(object -> counts.merge(check(object), 1, Integer::sum));
        return counts;
    }

    /** An object that is missing, or the statement that would validate a constraint. */
    private static String check(String object) {
        if (object.startsWith("constraint ")
                || object.startsWith("domain constraint ")
                || object.contains(" VALIDATE CONSTRAINT ")) {
            return CONSTRAINTS;
        }
        if (object.startsWith("index ")) {
            return "indexes";
        }
        if (object.startsWith("trigger ") || object.startsWith("rule ")) {
            return "triggers";
        }
        return object.startsWith("sequence ") && !object.startsWith("sequence owner ") ? SEQUENCES : OBJECTS;
    }
}
