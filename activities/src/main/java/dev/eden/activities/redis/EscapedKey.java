package dev.eden.activities.redis;

/** Keys as people may see them: printable ASCII as it is, everything else as {@code \xNN}. */
public final class EscapedKey {
    private static final int LONGEST = 200;

    private EscapedKey() {}

    /** At most about 200 characters; longer keys end in an ellipsis and their length. */
    public static String of(byte[] key) {
        StringBuilder text = new StringBuilder();
        for (byte b : key) {
            if (text.length() >= LONGEST) {
                return text.append("… (").append(key.length).append(" bytes)").toString();
            }
            if (b == '\\') {
                text.append("\\\\");
            } else if (b >= ' ' && b < 127) {
                text.append((char) b);
            } else {
                text.append("\\x").append(java.util.HexFormat.of().toHexDigits(b));
            }
        }
        return text.toString();
    }

    /** The same in quotation marks, for sentences. */
    public static String quoted(byte[] key) {
        return '"' + of(key).replace("\"", "\\\"") + '"';
    }
}
