package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import java.util.Optional;

/**
 * Compares a table without a primary key as a whole. Such a table is small (preflight sees to it). When its checksum differs its writers are kept away until
 * the written side has come to that position and both have been looked at, which is not for as long as a checksum takes.
 */
final class KeylessComparison {
    private static final int LOOKS = 3;
    private static final int TRIES = 20;
    private static final long LET_GO_MILLIS = 100;

    private final Sides sides;
    private final TableShape table;
    private final Tally tally;
    private final boolean repair;
    private final Runnable alive;

    /** @param alive is told now and then */
    KeylessComparison(Sides sides, TableShape table, Tally tally, boolean repair, Runnable alive) {
        this.sides = sides;
        this.table = table;
        this.tally = tally;
        this.repair = repair;
        this.alive = alive;
    }

    private record Difference(String kind, boolean mended) {}

    void compare() {
        Sides.Both<String> sums = sides.both(this::sum);
        tally.compared(rows(sums.from()));
        if (sums.from().equals(sums.to())) {
            return;
        }
        tally.suspicious(1);
        for (int look = 0; look < LOOKS; look++) {
            alive.run();
            sides.awaitApplied();
            sums = sides.both(this::sum);
            if (sums.from().equals(sums.to())) {
                return;
            }
        }
        atEqualPositions()
                .ifPresent(difference -> tally.different(
                        table.name(),
                        difference.kind(),
                        "a table without a key: compared as a whole",
                        difference.mended()));
    }

    private Optional<Difference> atEqualPositions() {
        for (int attempt = 1; attempt <= TRIES; attempt++) {
            alive.run();
            try {
                return sides.atEqualPositions(table.name(), repair, this::difference);
            } catch (LetGoException e) {
                Sides.pause(LET_GO_MILLIS); // applications that waited for the table come first
            }
        }
        throw new UnsettledException(table.name()
                + ": its writers could not be kept away for the moment that comparing, or mending, it takes");
    }

    private Optional<Difference> difference() {
        String here = sum(sides.beside);
        String there = sum(sides.to);
        if (here.equals(there)) {
            return Optional.empty();
        }
        if (repair) {
            new RowRepair(sides, table).repairAll();
        }
        long more = rows(there) - rows(here);
        String kind = more > 0 ? "extra" : more < 0 ? "missing" : "value";
        return Optional.of(new Difference(kind, repair && sum(sides.to).equals(here)));
    }

    private String sum(PostgresSession session) {
        return session.text("SELECT count(*) || ' ' || coalesce(sum(" + table.hash("t") + "), 0) FROM ONLY "
                        + table.name() + " AS t")
                .orElseThrow();
    }

    private static long rows(String sum) {
        return Long.parseLong(sum.substring(0, sum.indexOf(' ')));
    }
}
