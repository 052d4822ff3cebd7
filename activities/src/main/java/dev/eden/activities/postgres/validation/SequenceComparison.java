package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.SequencePositions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Whether the written side's sequences can be set by a flip to what the owner's stand at, and whether the owner's are beyond what the other side had given out
 * when it owned writes. Until the first flip the other side's stand wherever they were made: they are set behind the fence.
 */
final class SequenceComparison {
    /** {@code kind} as in {@link dev.eden.activities.store.ValidationLedger.Difference}. */
    record Finding(String key, String kind, String detail) {}

    /** @param compared how many the owner of writes has */
    record Outcome(int compared, List<Finding> findings) {
        /** What the schema's comparison says already is not said twice. */
        Outcome without(List<String> objects) {
            return new Outcome(
                    compared,
                    findings.stream()
                            .filter(finding -> !objects.contains(finding.key()))
                            .toList());
        }
    }

    /** {@code last}: the value given out last, or, unless {@code used}, the one that will be given out first. */
    private record Sequence(long increment, long lowest, long highest, boolean cycles, long last, boolean used) {
        boolean holds(long value) {
            return value >= lowest && value <= highest;
        }

        /** True where it may give out again what {@code other} has given out or passed over. */
        boolean behind(Sequence other) {
            if (other.cycles) {
                return false;
            }
            return increment > 0 ? next() < other.next() : next() > other.next();
        }

        Sequence beginningAt(long position) {
            return new Sequence(increment, lowest, highest, cycles, position, false);
        }

        private long next() {
            long next = last + increment;
            boolean overflow = ((last ^ next) & (increment ^ next)) < 0;
            return used && !overflow ? next : last;
        }
    }

    private SequenceComparison() {}

    /**
     * @param flipped authority has moved at least once, so the owner's values come from the other side
     * @param complete the written side must have every sequence; else it may lack what only the owner has
     */
    static Outcome compare(Sides sides, boolean flipped, boolean complete) {
        // The other side first: what the owner gives out meanwhile makes it go ahead only.
        Map<String, Sequence> there = read(sides.to);
        Map<String, Sequence> here = read(sides.from);
        List<Finding> findings = new ArrayList<>();
        here.forEach((name, owned) -> {
            String key = "sequence " + name;
            Sequence other = there.get(name);
            if (other == null) {
                if (complete) {
                    findings.add(new Finding(key, "missing", "a flip could not set it"));
                }
            } else if (owned.increment() != other.increment() || owned.cycles() != other.cycles()) {
                findings.add(new Finding(key, "type", "its INCREMENT or CYCLE differ"));
            } else if (!other.holds(owned.last())) {
                findings.add(new Finding(key, "type", "it stands beyond the other side's bounds"));
            } else if (flipped && owned.behind(other)) {
                findings.add(new Finding(
                        key,
                        "value",
                        "it stands before the other side's: setval it to begin no earlier than " + other.next()
                                + " and beyond its column's values"));
            }
        });
        return new Outcome(here.size(), findings);
    }

    private static Map<String, Sequence> read(PostgresSession session) {
        Map<String, Sequence> all = new HashMap<>();
        session.query(
                """
                SELECT format('%I.%I', schemaname, sequencename), increment_by, min_value, max_value, cycle, coalesce(last_value, start_value), last_value IS NOT NULL
                FROM pg_sequences WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^(pg_temp|eden_)'""",
                row -> all.put(
                        Objects.requireNonNull(row.getString(1)),
                        new Sequence(
                                row.getLong(2),
                                row.getLong(3),
                                row.getLong(4),
                                row.getBoolean(5),
                                row.getLong(6),
                                row.getBoolean(7))));
        List<String> unused = all.entrySet().stream()
                .filter(sequence -> !sequence.getValue().used())
                .map(Map.Entry::getKey)
                .toList();
        SequencePositions.read(session, unused)
                .forEach((name, position) ->
                        all.computeIfPresent(name, (_, sequence) -> sequence.beginningAt(position)));
        return all;
    }
}
