package dev.eden.demo.check;

/** What the cells of a run are and held before it began; given by the load, so that checker and load agree on names only. */
public interface CellModel {

    /** How a cell behaves. */
    enum Kind {
        /** Holds the value that was written last, or none. */
        REGISTER,
        /** Grows by one with each increment. */
        COUNTER,
        /** Grows at its end. */
        SEQUENCE,
        /** Hands each element to one taker, first in first out. */
        QUEUE,
        /** No state of its own: atomic reads of two registers that are only written together. */
        PAIR
    }

    /** Cells are numbered from 0 to this, exclusive. */
    int cells();

    Kind kind(int cell);

    /** For people: key, and field or member. */
    String name(int cell);

    /** What a register or counter held before the first operation. */
    long initial(int cell);

    /** What a sequence or queue held before the first operation. */
    long[] initialElements(int cell);
}
