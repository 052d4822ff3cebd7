package dev.eden.proxy.resp;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Words of an inline request: white space separates, double quotes know escapes, single quotes only {@code \'}. */
final class InlineArguments {
    private final String line;
    private int at;

    private InlineArguments(String line) {
        this.line = line;
    }

    /** {@code line} has one char per byte. */
    static List<byte[]> split(String line) {
        InlineArguments scan = new InlineArguments(line);
        List<byte[]> words = new ArrayList<>();
        while (scan.skipSpace()) {
            words.add(scan.word().getBytes(StandardCharsets.ISO_8859_1));
        }
        return words;
    }

    private boolean skipSpace() {
        while (at < line.length() && space(line.charAt(at))) {
            at++;
        }
        return at < line.length();
    }

    private static boolean space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r') || c == 0;
    }

    private String word() {
        StringBuilder word = new StringBuilder();
        while (at < line.length() && !space(line.charAt(at))) {
            char c = line.charAt(at++);
            if (c == '"') {
                doubleQuoted(word);
            } else if (c == '\'') {
                singleQuoted(word);
            } else {
                word.append(c);
            }
        }
        return word.toString();
    }

    private void doubleQuoted(StringBuilder word) {
        while (at < line.length()) {
            char c = line.charAt(at++);
            if (c == '"') {
                closed();
                return;
            }
            if (c != '\\' || at == line.length()) {
                word.append(c);
                continue;
            }
            char escaped = line.charAt(at++);
            if (escaped == 'x'
                    && at + 1 < line.length()
                    && Character.digit(line.charAt(at), 16) >= 0
                    && Character.digit(line.charAt(at + 1), 16) >= 0) {
                word.append((char) Integer.parseInt(line.substring(at, at + 2), 16));
                at += 2;
                continue;
            }
            word.append(
                    switch (escaped) {
                        case 'n' -> '\n';
                        case 'r' -> '\r';
                        case 't' -> '\t';
                        case 'b' -> '\b';
                        case 'a' -> (char) 7;
                        default -> escaped;
                    });
        }
        throw new ProtocolError("unbalanced quotes in request");
    }

    private void singleQuoted(StringBuilder word) {
        while (at < line.length()) {
            char c = line.charAt(at++);
            if (c == '\'') {
                closed();
                return;
            }
            if (c == '\\' && at < line.length() && line.charAt(at) == '\'') {
                word.append('\'');
                at++;
            } else {
                word.append(c);
            }
        }
        throw new ProtocolError("unbalanced quotes in request");
    }

    /** A closing quote must end the word. */
    private void closed() {
        if (at < line.length() && !space(line.charAt(at))) {
            throw new ProtocolError("unbalanced quotes in request");
        }
    }
}
