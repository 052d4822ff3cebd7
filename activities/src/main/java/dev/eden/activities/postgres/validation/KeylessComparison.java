package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;

/**
 * Compares a table without a primary key as a whole. Such a table is small (preflight sees to it), so when its checksum differs its writers are
 * kept away until the written side has come to that position.
 */
final class KeylessComparison {
    private static final int TRIES = 20;

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

    void compare() {
        Sides.Both<String> sums = sides.both(this::sum);
        tally.compared(rows(sums.from()));
        if (sums.from().equals(sums.to())) {
            return;
        }
        tally.suspicious(1);
        for (int attempt = 1; ; attempt++) {
            alive.run();
            try {
                sides.holding(() -> {
                    held();
                    return true;
                });
                return;
            } catch (LetGoException e) {
                if (attempt == TRIES) {
                    throw new UnsettledException(table.name()
                            + ": its writers could not be kept away for the moment that comparing it takes");
                }
            }
            Sides.pause(100); // applications that waited for the table come first
        }
    }

    private void held() {
        sides.from.execute("SET LOCAL lock_timeout = '200ms'");
        // The other side reads, and writes, all of it.
        sides.from.execute("SET LOCAL idle_in_transaction_session_timeout = '60s'");
        sides.from.execute("LOCK TABLE ONLY " + table.name() + " IN SHARE MODE");
        sides.awaitApplied();
        String here = sum(sides.from);
        alive.run();
        String there = sum(sides.to);
        alive.run();
        if (here.equals(there)) {
            return;
        }
        if (repair) {
            new RowRepair(sides, table, alive).repairAll();
        }
        boolean mended = repair && sum(sides.to).equals(here);
        long more = rows(there) - rows(here);
        String kind = more > 0 ? "extra" : more < 0 ? "missing" : "value";
        tally.different(table.name(), kind, "a table without a key: compared as a whole", mended);
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
