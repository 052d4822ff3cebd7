package dev.eden.activities.redis.replication;

/** A key as people may read it in a message: printable ASCII, the rest as {@code \xHH}, shortened. */
final class Escaped {
    private static final int SHOWN = 128;

    private Escaped() {}

    static String of(byte[] key) {
        StringBuilder text = new StringBuilder(key.length + 2).append('"');
        for (int i = 0; i < Math.min(key.length, SHOWN); i++) {
            int b = key[i] & 0xff;
            if (b == '"' || b == '\\') {
                text.append('\\').append((char) b);
            } else if (b >= 32 && b < 127) {
                text.append((char) b);
            } else {
                text.append(String.format("\\x%02x", b));
            }
        }
        return text.append(key.length > SHOWN ? "…\"" : "\"").toString();
    }
}
