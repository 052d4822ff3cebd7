package dev.eden.activities.redis.replication;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

/** One command of the change stream, kept as the bytes it came in: they are sent on as they are. */
final class StreamCommand {
    final byte[] raw;
    private final int[] spans;
    final String name;

    /** {@code spans}: start and length of each argument in {@code raw}. */
    StreamCommand(byte[] raw, int[] spans) {
        this.raw = raw;
        this.spans = spans;
        this.name = spans.length == 0 ? "" : upper(raw, spans[0], spans[1]);
    }

    int size() {
        return spans.length / 2;
    }

    byte[] argument(int index) {
        int from = spans[2 * index];
        return Arrays.copyOfRange(raw, from, from + spans[2 * index + 1]);
    }

    /** Upper case. */
    String word(int index) {
        return upper(raw, spans[2 * index], spans[2 * index + 1]);
    }

    boolean is(int index, String upperWord) {
        int from = spans[2 * index];
        int length = spans[2 * index + 1];
        if (length != upperWord.length()) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            int b = raw[from + i];
            if ((b >= 'a' && b <= 'z' ? b - 32 : b) != upperWord.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Of an argument; -1 where that is empty. */
    int firstByte(int index) {
        return spans[2 * index + 1] == 0 ? -1 : raw[spans[2 * index]] & 0xff;
    }

    /** Copies of the arguments, the name first. */
    List<byte[]> arguments() {
        return new Arguments();
    }

    private static String upper(byte[] raw, int from, int length) {
        char[] chars = new char[length];
        for (int i = 0; i < length; i++) {
            int b = raw[from + i];
            chars[i] = (char) (b >= 'a' && b <= 'z' ? b - 32 : b & 0xff);
        }
        return new String(chars);
    }

    private final class Arguments extends AbstractList<byte[]> implements RandomAccess {
        @Override
        public byte[] get(int index) {
            return argument(index);
        }

        @Override
        public int size() {
            return StreamCommand.this.size();
        }
    }
}
