package dev.eden.demo.history;

/** What an operation means to the checker; which Redis command it was is the load's business. */
public enum OperationKind {
    /** A cell got {@code value} ({@link Operation#ABSENT}: it was deleted). */
    WRITE,
    /** A cell got {@code value} for {@code extra} milliseconds. */
    EXPIRING_WRITE,
    /** The expiry of a cell was taken away; {@code value}: 1 where there was one, 0 where the cell had gone. */
    PERSIST,
    /** A cell showed {@code value}. */
    READ,
    /** A counter grew by one and answered {@code value}. */
    INCREMENT,
    /** A counter showed {@code value}. */
    COUNT,
    /** {@code value} was put at the end of a sequence; the answer was the new length {@code extra}. */
    APPEND,
    /** The end of a sequence showed {@code value} last; {@code extra} is the {@link Tail} digest of what was seen. */
    TAIL,
    /** {@code value} was put into a queue. */
    PUSH,
    /** {@code value} was taken from a queue ({@link Operation#ABSENT}: nothing came in time). */
    POP,
    /** One atomic read of two cells that are only written together showed {@code value} and {@code extra}. */
    PAIR
}
