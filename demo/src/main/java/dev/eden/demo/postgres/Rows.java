package dev.eden.demo.postgres;

import dev.eden.demo.check.CellModel;
import dev.eden.demo.history.Operation;

/** Which rows there are and what they held in the beginning; a pure function of their number, as the keyspace of the Redis load. */
final class Rows implements CellModel {
    static final int ACCOUNTS = 500;
    static final long BALANCE = 1_000_000;

    private static final int INITIAL_ELEMENTS = 3;
    private static final Table[] TABLES = Table.values();

    private final int[] counts = new int[TABLES.length];
    private final int[] firstCell = new int[TABLES.length + 1];

    /** @param rows about how many */
    Rows(int rows) {
        for (Table table : TABLES) {
            int count = Math.max((int) Math.ceil(rows * table.share), table.least);
            counts[table.ordinal()] = count;
            firstCell[table.ordinal() + 1] = firstCell[table.ordinal()] + count * table.cellsPerRow;
        }
    }

    /** How many; of pairs half as many as rows. */
    int count(Table table) {
        return counts[table.ordinal()];
    }

    int cell(Table table, int id, int sub) {
        return firstCell[table.ordinal()] + id * table.cellsPerRow + sub;
    }

    private static Table table(int cell, int[] firstCell) {
        for (Table table : TABLES) {
            if (cell < firstCell[table.ordinal() + 1]) {
                return table;
            }
        }
        throw new IndexOutOfBoundsException(cell);
    }

    private int sub(Table table, int cell) {
        return (cell - firstCell[table.ordinal()]) % table.cellsPerRow;
    }

    @Override
    public int cells() {
        return firstCell[TABLES.length];
    }

    @Override
    public Kind kind(int cell) {
        Table table = table(cell, firstCell);
        return table == Table.PAIR && sub(table, cell) == 2 ? Kind.PAIR : table.kind;
    }

    @Override
    public String name(int cell) {
        Table table = table(cell, firstCell);
        int id = (cell - firstCell[table.ordinal()]) / table.cellsPerRow;
        return table.relation + " " + (table == Table.PAIR ? id + "." + sub(table, cell) : id);
    }

    @Override
    public long initial(int cell) {
        return switch (table(cell, firstCell)) {
            case PROFILE -> (cell + 1L) << 10 | Operation.PRELOAD_CLIENT;
            case PAIR -> (cell - sub(Table.PAIR, cell) + 1L) << 10 | Operation.PRELOAD_CLIENT;
            case COUNTER -> cell % 1000;
            case LOG, TRAIL, STILL -> Operation.ABSENT;
        };
    }

    @Override
    public long[] initialElements(int cell) {
        Table table = table(cell, firstCell);
        if (table != Table.LOG && table != Table.TRAIL) {
            return new long[0];
        }
        long[] elements = new long[INITIAL_ELEMENTS];
        for (int place = 0; place < INITIAL_ELEMENTS; place++) {
            elements[place] = (cell * 8L + place + 1) << 10 | Operation.PRELOAD_CLIENT;
        }
        return elements;
    }
}
