package dev.eden.api.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Text within some columns: broken at spaces, what follows the first line indented under it. */
final class Wrapped {
    private static final int TERMINAL = 80;
    /** Takes no column. */
    private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*m");

    private Wrapped() {}

    /** For a terminal; {@code indent}: of all lines but the first, and before that column none is broken. */
    static List<String> lines(String text, int indent) {
        return lines(text, indent, TERMINAL);
    }

    static List<String> lines(String text, int indent, int columns) {
        List<String> lines = new ArrayList<>();
        String rest = text;
        while (true) {
            int end = end(rest, indent, columns);
            lines.add(rest.substring(0, end).stripTrailing());
            if (end == rest.length()) {
                return lines;
            }
            rest = " ".repeat(indent) + rest.substring(end).stripLeading();
        }
    }

    /** The last space that leaves a line of what has room, or, where a word has none, the room's end. */
    private static int end(String text, int indent, int columns) {
        Matcher colour = COLOUR.matcher(text);
        int column = 0;
        int space = -1;
        int at = 0;
        while (at < text.length()) {
            if (colour.region(at, text.length()).lookingAt()) {
                at = colour.end();
                continue;
            }
            if (column > indent && text.charAt(at) == ' ') {
                space = at;
            }
            if (column == columns) {
                return space < 0 ? at : space;
            }
            column++;
            at++;
        }
        return text.length();
    }
}
