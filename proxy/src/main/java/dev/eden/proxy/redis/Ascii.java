package dev.eden.proxy.redis;

import java.nio.charset.StandardCharsets;

/** Bytes of commands as the ASCII words they are. */
final class Ascii {
    private Ascii() {}

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String lower(byte[] word) {
        byte[] copy = word.clone();
        for (int i = 0; i < copy.length; i++) {
            if (copy[i] >= 'A' && copy[i] <= 'Z') {
                copy[i] |= 0x20;
            }
        }
        return new String(copy, StandardCharsets.ISO_8859_1);
    }

    static boolean equalsIgnoreCase(byte[] bytes, String word) {
        if (bytes.length != word.length()) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (fold(bytes[i]) != fold((byte) word.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static int fold(byte b) {
        return b >= 'A' && b <= 'Z' ? b | 0x20 : b;
    }

    /** The number, or -1 when the bytes are not a decimal number of at most 18 digits. */
    static long parseLong(byte[] bytes) {
        boolean negative = bytes.length > 0 && bytes[0] == '-';
        int start = negative ? 1 : 0;
        if (bytes.length == start || bytes.length - start > 18) {
            return -1;
        }
        long value = 0;
        for (int i = start; i < bytes.length; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return negative ? -value : value;
    }
}
