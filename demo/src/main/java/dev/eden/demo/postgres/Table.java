package dev.eden.demo.postgres;

import dev.eden.demo.check.CellModel.Kind;

/** The tables whose rows are judged cell by cell: how many rows there are, and how many cells each has. */
enum Table {
    /** A text that is replaced. */
    PROFILE("profiles", 0.60, 200, 1, Kind.REGISTER),
    /** A number that grows by one. */
    COUNTER("counters", 0.05, 100, 1, Kind.COUNTER),
    /** A text that grows at its end. */
    LOG("logs", 0.03, 100, 1, Kind.SEQUENCE),
    /** An array that grows at its end. */
    TRAIL("trails", 0.02, 100, 1, Kind.SEQUENCE),
    /** Two rows that are only written together; the third cell stands for reading both at once. */
    PAIR("pairs", 0.02, 50, 3, Kind.REGISTER),
    /** Rows that nobody touches, in a partitioned table and in one with every sort of type. */
    STILL("events", 0.28, 200, 0, Kind.REGISTER);

    final String relation;
    final double share;
    final int least;
    final int cellsPerRow;
    final Kind kind;

    Table(String name, double share, int least, int cellsPerRow, Kind kind) {
        this.relation = "app." + name;
        this.share = share;
        this.least = least;
        this.cellsPerRow = cellsPerRow;
        this.kind = kind;
    }
}
