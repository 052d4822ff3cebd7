package dev.eden.demo.postgres;

import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** Which lists the serializable transactions meet on at the moment. A list that has grown long is left for a new one. */
final class SerialKeys {
    private static final int SLOTS = 24;
    private static final int LONG = 48;

    private final AtomicIntegerArray generations = new AtomicIntegerArray(SLOTS);

    int pick(Random random) {
        int slot = random.nextInt(SLOTS);
        return generations.get(slot) * SLOTS + slot;
    }

    /** Somebody saw {@code length} elements in a list. */
    void saw(int key, int length) {
        if (length >= LONG) {
            generations.compareAndSet(key % SLOTS, key / SLOTS, key / SLOTS + 1);
        }
    }
}
