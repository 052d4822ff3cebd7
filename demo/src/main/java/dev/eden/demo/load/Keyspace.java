package dev.eden.demo.load;

import dev.eden.demo.check.CellModel;
import dev.eden.demo.history.Operation;

/**
 * Which keys there are, which cells they hold and what those held in the beginning; a pure function of the number of keys, so
 * that preload, load and checker need not tell each other.
 */
public final class Keyspace implements CellModel {
    private static final int INITIAL_ELEMENTS = 3;
    private static final Family[] FAMILIES = Family.values();

    private final int[] counts = new int[FAMILIES.length];
    private final int[] firstCell = new int[FAMILIES.length + 1];

    /** @param keys about how many keys; small families have more than their share, so that every client has keys of its own */
    public Keyspace(int keys) {
        for (Family family : FAMILIES) {
            int count = Math.max((int) Math.ceil(keys * family.share), minimum(family));
            counts[family.ordinal()] = count;
            firstCell[family.ordinal() + 1] = firstCell[family.ordinal()] + count * family.cellsPerKey;
        }
    }

    private static int minimum(Family family) {
        return switch (family) {
            case QUEUE -> 8;
            case EXPIRING -> 1000;
            case STRING, HASH, ZSET, SET, LIST, LOG, COUNTER, HASH_COUNTER, ZSET_COUNTER, WATCHED, PAIR, STILL -> 24;
        };
    }

    /** How many keys the preload makes (pairs are two keys, queues are empty). */
    public int keys() {
        int keys = 0;
        for (int count : counts) {
            keys += count;
        }
        return keys + count(Family.PAIR) - count(Family.QUEUE);
    }

    int count(Family family) {
        return counts[family.ordinal()];
    }

    String key(Family family, int index) {
        return "app:" + family.prefix + ":" + index;
    }

    int cell(Family family, int index, int sub) {
        return firstCell[family.ordinal()] + index * family.cellsPerKey + sub;
    }

    /** Id of the value that the preload gives a register. */
    static long preloadId(int cell) {
        return (cell + 1L) << 10 | Operation.PRELOAD_CLIENT;
    }

    private static long preloadElement(int cell, int place) {
        return (cell * 8L + place + 1) << 10 | Operation.PRELOAD_CLIENT;
    }

    private Family family(int cell) {
        for (Family family : FAMILIES) {
            if (cell < firstCell[family.ordinal() + 1]) {
                return family;
            }
        }
        throw new IndexOutOfBoundsException(cell);
    }

    @Override
    public int cells() {
        return firstCell[FAMILIES.length];
    }

    @Override
    public Kind kind(int cell) {
        Family family = family(cell);
        return family == Family.PAIR && sub(family, cell) == 2 ? Kind.PAIR : family.kind;
    }

    private int sub(Family family, int cell) {
        return (cell - firstCell[family.ordinal()]) % family.cellsPerKey;
    }

    @Override
    public String name(int cell) {
        Family family = family(cell);
        String key = key(family, (cell - firstCell[family.ordinal()]) / family.cellsPerKey);
        int sub = sub(family, cell);
        return switch (family) {
            case HASH, ZSET, SET -> key + " " + sub;
            case PAIR -> sub == 2 ? key : pairKey(key, sub);
            case STRING, EXPIRING, LIST, LOG, COUNTER, HASH_COUNTER, ZSET_COUNTER, WATCHED, QUEUE, STILL -> key;
        };
    }

    static String pairKey(String key, int side) {
        return key + (side == 0 ? ":a" : ":b");
    }

    @Override
    public long initial(int cell) {
        Family family = family(cell);
        return switch (family) {
            case STRING, PAIR -> preloadId(family == Family.PAIR ? cell - sub(family, cell) : cell);
            case HASH, ZSET -> sub(family, cell) < 3 ? preloadId(cell) : Operation.ABSENT;
            case SET -> sub(family, cell) < 2 ? 1 : Operation.ABSENT;
            case COUNTER, HASH_COUNTER, ZSET_COUNTER, WATCHED -> cell % 1000;
            case EXPIRING, LIST, LOG, QUEUE, STILL -> Operation.ABSENT;
        };
    }

    @Override
    public long[] initialElements(int cell) {
        Family family = family(cell);
        if (family != Family.LIST && family != Family.LOG) {
            return new long[0];
        }
        long[] elements = new long[INITIAL_ELEMENTS];
        for (int place = 0; place < INITIAL_ELEMENTS; place++) {
            elements[place] = preloadElement(cell, place);
        }
        return elements;
    }
}
