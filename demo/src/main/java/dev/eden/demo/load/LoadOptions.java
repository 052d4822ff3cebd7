package dev.eden.demo.load;

/**
 * How much load there is.
 *
 * @param clients connections in all, the consumers of the queues among them
 * @param rate commands a second that the clients together aim at
 */
public record LoadOptions(int clients, int rate, long seed) {

    public LoadOptions {
        if (clients < 4 || clients > 900) {
            throw new IllegalArgumentException("clients must be between 4 and 900");
        }
        if (rate < 1) {
            throw new IllegalArgumentException("rate must be positive");
        }
    }

    /** How many of the clients do nothing but wait for elements of queues. */
    int consumers() {
        return Math.max(1, clients / 8);
    }
}
