package dev.eden.activities.postgres.schema;

import java.util.regex.Pattern;

/**
 * What a server says of a definition, without what differs where the types of columns do: casts, and the parentheses that come with them. Those that
 * decide what belongs together stay.
 */
final class PlainText {
    private static final String WORD = "(?:\"[^\"]+\"|[a-z_][a-z0-9_]*)";
    private static final Pattern CAST = Pattern.compile(
            "::" + WORD + "(?:\\." + WORD + "|(?: [a-z]+)*)(?:\\([0-9,]+\\)(?: with(?:out)? time zone)?)?(?:\\[\\])*");
    /** Of nothing but a name or a value, where it holds no arguments. */
    private static final Pattern SINGLE = Pattern.compile("(?<![\\w\"])\\(('[^']*'|[\\w.\"-]+)\\)");

    private static final Pattern DOUBLE = Pattern.compile("\\(\\(([^()]*(?:\\([^()]*\\)[^()]*)*)\\)\\)");

    private PlainText() {}

    static String of(String definition) {
        String before;
        String text = CAST.matcher(definition).replaceAll("");
        do {
            before = text;
            text = DOUBLE.matcher(SINGLE.matcher(text).replaceAll("$1")).replaceAll("($1)");
        } while (!text.equals(before));
        return text;
    }
}
