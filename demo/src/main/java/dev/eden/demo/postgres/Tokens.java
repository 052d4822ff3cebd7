package dev.eden.demo.postgres;

/** Unique numbers of one client; rising, and with the client in their last ten bits, as everywhere in the histories. */
final class Tokens {
    private final int client;
    private long sequence;

    Tokens(int client) {
        this.client = client;
    }

    long next() {
        return ++sequence << 10 | client;
    }
}
