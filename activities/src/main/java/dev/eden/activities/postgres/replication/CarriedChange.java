package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.Sql;
import java.util.ArrayList;
import java.util.List;

/**
 * A change of a table's columns that the standby has, until its statement has ended on the side that owns writes.
 *
 * @param relation the table's oid there
 * @param columns those added, then those whose type changed
 * @param types theirs since, on the standby; in the order of the columns
 * @param undo tells which of them were added: see {@link #drop}
 */
record CarriedChange(
        int pid, String began, long relation, String name, List<String> columns, List<String> types, String undo) {

    /** What became of it. */
    sealed interface Outcome {}

    record Kept() implements Outcome {}

    /** It came to nothing: {@code undo} are the actions of an {@code ALTER TABLE} that take it back. */
    record TakenBack(List<String> undo) implements Outcome {}

    /** The owner of writes has made of the same words another column, or somebody has made one past Eden. Its rows go into the standby's, or stop at it: a person decides. */
    record Unlike(String column, String wanted, String found) implements Outcome {}

    static String drop(String column) {
        return "DROP COLUMN " + Sql.name(column);
    }

    static String retype(String column, String type) {
        return "ALTER COLUMN " + Sql.name(column) + " TYPE " + type;
    }

    /**
     * Only what the owner certainly has not is taken back. Columns are not dropped and types not narrowed meanwhile, but a later change may have widened
     * one once more, and an earlier one of the same transaction may have added it: that one takes it back, then.
     *
     * @param found types on the owner of writes; empty for a column that it has not
     */
    Outcome outcome(List<String> found) {
        boolean kept = true;
        List<String> actions = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            String column = columns.get(i);
            String here = found.get(i);
            String wanted = types.get(i);
            boolean added = undo.contains(drop(column));
            if (here.isEmpty()) {
                kept = false;
                if (added) {
                    actions.add(drop(column));
                }
            } else if (!AdditiveChange.wider(wanted, here)) {
                kept = false;
                if (added || !AdditiveChange.wider(here, wanted)) {
                    return new Unlike(Sql.name(column), wanted, here);
                }
                actions.add(retype(column, here));
            }
        }
        return kept ? new Kept() : new TakenBack(actions);
    }
}
