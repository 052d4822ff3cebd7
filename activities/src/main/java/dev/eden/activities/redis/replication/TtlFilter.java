package dev.eden.activities.redis.replication;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Which keys ever had an expiry, as a Bloom filter of fixed size (made page by page: most migrations have few such keys) over the key's name (databases are not told apart, so that SWAPDB and
 * MOVE change nothing): never a false no. {@link #saturate Saturated}, it says yes to all: nothing is known after a resume. Any thread.
 */
final class TtlFilter {
    private static final int HASHES = 4;

    private static final int PAGE_BITS = 9;
    private static final int PAGE = 1 << PAGE_BITS;

    private final AtomicReferenceArray<@Nullable AtomicLongArray> pages;
    private final long mask;
    private volatile boolean saturated;

    /** {@code bytes}: a power of two, 4,096 or more. */
    TtlFilter(int bytes) {
        pages = new AtomicReferenceArray<>(bytes / 8 / PAGE);
        mask = bytes * 8L - 1;
    }

    void add(byte[] key) {
        long hash = hash(key);
        long step = hash >>> 32 | 1;
        for (int i = 0; i < HASHES; i++) {
            long bit = hash & mask;
            AtomicLongArray words = page((int) (bit >>> 6 >>> PAGE_BITS));
            int word = (int) (bit >>> 6) & PAGE - 1;
            long value = 1L << (bit & 63);
            if ((words.getPlain(word) & value) == 0) {
                words.getAndUpdate(word, old -> old | value);
            }
            hash += step;
        }
    }

    boolean mayContain(byte[] key) {
        if (saturated) {
            return true;
        }
        long hash = hash(key);
        long step = hash >>> 32 | 1;
        for (int i = 0; i < HASHES; i++) {
            long bit = hash & mask;
            AtomicLongArray words = pages.getAcquire((int) (bit >>> 6 >>> PAGE_BITS));
            if (words == null || (words.getAcquire((int) (bit >>> 6) & PAGE - 1) & 1L << (bit & 63)) == 0) {
                return false;
            }
            hash += step;
        }
        return true;
    }

    private AtomicLongArray page(int number) {
        AtomicLongArray there = pages.getAcquire(number);
        if (there != null) {
            return there;
        }
        AtomicLongArray made = new AtomicLongArray(PAGE);
        AtomicLongArray other = pages.compareAndExchange(number, null, made);
        return other == null ? made : other;
    }

    void saturate() {
        saturated = true;
    }

    void desaturate() {
        saturated = false;
    }

    private static long hash(byte[] key) {
        long hash = 0x9e3779b97f4a7c15L ^ key.length;
        for (byte b : key) {
            hash = (hash ^ b) * 0xff51afd7ed558ccdL;
            hash ^= hash >>> 32;
        }
        hash = (hash ^ hash >>> 29) * 0xc4ceb9fe1a85ec53L;
        return hash ^ hash >>> 32;
    }
}
