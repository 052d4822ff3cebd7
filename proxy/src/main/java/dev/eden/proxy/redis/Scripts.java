package dev.eden.proxy.redis;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Bodies of the scripts that clients have sent, by SHA-1: Redis 7 does not replicate its script cache, so a standby that is to answer EVALSHA
 * has to be told. Bounded; the oldest go first. Safe for every thread; the lock is held for a map access.
 */
final class Scripts {
    private static final int MAX_SCRIPTS = 4096;
    private static final long MAX_BYTES = 16L << 20;

    private final Map<String, byte[]> bodies = new LinkedHashMap<>();
    private long bytes;
    private volatile long version;

    /** Grows with every new script. */
    long version() {
        return version;
    }

    void remember(byte[] body) {
        String digest = sha1(body);
        synchronized (bodies) {
            if (bodies.putIfAbsent(digest, body) != null) {
                return;
            }
            bytes += body.length;
            while (bodies.size() > MAX_SCRIPTS || bytes > MAX_BYTES) {
                Map.Entry<String, byte[]> oldest = bodies.entrySet().iterator().next();
                bytes -= oldest.getValue().length;
                bodies.remove(oldest.getKey());
            }
            version = version + 1;
        }
    }

    /** Bodies that came after {@code seen}, oldest first; at least those. */
    List<byte[]> since(long seen) {
        synchronized (bodies) {
            List<byte[]> all = new ArrayList<>(bodies.values());
            int missing = (int) Math.min(all.size(), version - seen);
            return all.subList(all.size() - missing, all.size());
        }
    }

    /** All bodies, oldest first. */
    List<byte[]> all() {
        synchronized (bodies) {
            return new ArrayList<>(bodies.values());
        }
    }

    private static String sha1(byte[] body) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-1 is part of every JDK", e);
        }
    }
}
