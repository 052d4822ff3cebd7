package dev.eden.api.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a suggested command has to repeat so that, pasted as it is, it goes to the same server: options, each with a space before it. */
record Where(String options) {
    /** Where the environment and the context in use lead. */
    static final Where DEFAULT = new Where("");

    /** Those that go to a server, with all their words: they end at two spaces, a bracket or a comma. */
    private static final Pattern COMMAND = Pattern.compile(
            "\\beden (?:migration|endpoint|interlay|token|audit|proxy(?= list| remove))(?: (?:'[^']*'|[^\\s(),;'])+)*");

    private static final Pattern PLAIN = Pattern.compile("[\\p{Alnum}_./:@%+=,-]+");

    /** The same with one more. */
    Where with(String option, String value) {
        return new Where(options + " " + option + " " + quoted(value));
    }

    /** The text, in which nothing but a comma or a bracket follows a command. */
    String in(String text) {
        return COMMAND.matcher(text).replaceAll(command -> Matcher.quoteReplacement(command.group() + options));
    }

    private static String quoted(String value) {
        return PLAIN.matcher(value).matches() ? value : "'" + value.replace("'", "'\\''") + "'";
    }
}
