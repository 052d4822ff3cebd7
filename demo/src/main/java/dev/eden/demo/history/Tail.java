package dev.eden.demo.history;

/** The end of a sequence, folded into one number so that a history of millions of reads stays small. */
public final class Tail {
    /** How many elements a tail read asks for. */
    public static final int LENGTH = 8;

    private Tail() {}

    /** Digest of {@code ids[from, to)}, in order; 0 for none. */
    public static long digest(long[] ids, int from, int to) {
        long digest = 0;
        for (int i = from; i < to; i++) {
            digest = (digest ^ ids[i]) * 0x9E3779B97F4A7C15L;
            digest ^= digest >>> 29;
        }
        return digest;
    }
}
