package dev.eden.activities.redis.replication;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Reads replies of which only the outline matters, without making objects of them. One thread. */
final class ReplyScanner {
    private final InputStream in;

    /** Of the last reply: its type byte, and its number, length or element count (-1: null). */
    private int type;

    private long value;
    private String error = "";

    /** Of the last array that was read whole: it has elements, and they are numbers of which none is above 0. */
    private boolean noneDone;

    ReplyScanner(InputStream in) {
        this.in = in;
    }

    /** Reads the head of a reply: for an array only its count, so that its elements come next; everything else whole. */
    void head() throws IOException {
        type = in.read();
        switch (type) {
            case '+' -> line();
            case '-' -> {
                error = text();
                value = 0;
            }
            case ':', '*' -> value = number();
            case '$' -> {
                value = number();
                if (value >= 0) {
                    in.skipNBytes(value + 2);
                }
            }
            case -1 -> throw new EOFException("closed by the server");
            default -> throw new IOException("not a RESP2 reply: byte " + type);
        }
    }

    /** Reads a whole reply; what is known afterwards is its head. */
    void skip() throws IOException {
        head();
        if (type == '*' && value > 0) {
            long count = value;
            boolean none = true;
            for (long i = 0; i < count; i++) {
                skip();
                none &= type == ':' && value <= 0;
            }
            type = '*';
            value = count;
            noneDone = none;
        }
    }

    boolean isError() {
        return type == '-';
    }

    String error() {
        return error;
    }

    boolean isArray() {
        return type == '*';
    }

    /** Of an integer, or the length or count. */
    long value() {
        return value;
    }

    /** A null, the integer 0 or -1, an array that is empty or of such integers alone: what a command without effect answers. */
    boolean isWithoutEffect() {
        return switch (type) {
            case ':' -> value <= 0;
            case '*' -> value <= 0 || noneDone;
            case '$' -> value < 0;
            default -> false;
        };
    }

    private void line() throws IOException {
        int b;
        do {
            b = in.read();
            if (b < 0) {
                throw new EOFException("closed within a reply");
            }
        } while (b != '\n');
    }

    private String text() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("closed within a reply");
            }
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return new String(line.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    private long number() throws IOException {
        long number = 0;
        boolean negative = false;
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("closed within a reply");
            }
            if (b == '-') {
                negative = true;
            } else if (b != '\r') {
                number = number * 10 + (b - '0');
            }
        }
        return negative ? -number : number;
    }
}
