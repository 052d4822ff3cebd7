package dev.eden.demo.load;

import dev.eden.demo.history.Operation;
import org.jspecify.annotations.Nullable;

/** Writes ids as values of varied size and reads them back; a value that is not whole is {@link Operation#CORRUPT}. */
public final class Payload {
    /** Width of an element of a {@link Family#LOG}. */
    public static final int ELEMENT = 12;

    private static final String FILLER = "abcdefghijklmnopqrstuvwxyz012345".repeat(2048);

    private Payload() {}

    /** Mostly up to 200 bytes; one in 256 has 8 KiB and one in 16,384 has 60 KiB. */
    public static String of(long id) {
        int mixed = Long.hashCode(id * 0x9E3779B97F4A7C15L) & 0x3FFF;
        int length = mixed == 0 ? 60_000 : mixed % 256 == 1 ? 8192 : mixed % 200;
        int from = mixed % 32;
        return Long.toString(id, 36) + '.' + FILLER.substring(from, from + length);
    }

    public static long id(@Nullable String value) {
        if (value == null) {
            return Operation.ABSENT;
        }
        int dot = value.indexOf('.');
        if (dot < 1) {
            return Operation.CORRUPT;
        }
        long id = parse(value, 0, dot);
        return id > 0 && of(id).equals(value) ? id : Operation.CORRUPT;
    }

    public static String element(long id) {
        String digits = Long.toString(id, 36);
        return "0".repeat(ELEMENT - 1 - digits.length()) + digits + ',';
    }

    /** The ids of a string of elements, the last {@code max} of them. */
    public static long[] elements(String text, int max) {
        int count = Math.ceilDiv(text.length(), ELEMENT);
        int kept = Math.min(count, max);
        long[] ids = new long[kept];
        for (int i = 0; i < kept; i++) {
            int from = (count - kept + i) * ELEMENT;
            boolean whole = from + ELEMENT <= text.length() && text.charAt(from + ELEMENT - 1) == ',';
            ids[i] = whole ? parse(text, from, from + ELEMENT - 1) : Operation.CORRUPT;
        }
        return ids;
    }

    static long score(@Nullable Double score) {
        return score == null ? Operation.ABSENT : score.longValue();
    }

    static long plain(String value) {
        return parse(value, 0, value.length());
    }

    private static long parse(String value, int from, int to) {
        try {
            return Long.parseLong(value, from, to, 36);
        } catch (NumberFormatException notOurs) {
            return Operation.CORRUPT;
        }
    }
}
