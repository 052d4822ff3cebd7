package dev.eden.activities.postgres.schema;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a server says of a definition, without what differs where the types of columns do, where a server has read what another one printed, or between versions: casts,
 * parentheses (of {@code BETWEEN} beside another condition, say), and quotes. So what decides what belongs together is not compared.
 */
public final class PlainText {
    private static final String WORD = "(?:\"[^\"]+\"|[a-z_][a-z0-9_]*)";
    private static final Pattern CAST = Pattern.compile(
            "::" + WORD + "(?:\\." + WORD + "|(?: [a-z]+)*)(?:\\([0-9,]+\\)(?: with(?:out)? time zone)?)?(?:\\[\\])*");
    private static final Pattern PARENTHESIS = Pattern.compile("[()]");

    private static final Pattern QUOTED = Pattern.compile("\"([a-z_][a-z0-9_]*)\"");

    private PlainText() {}

    /** Names as no server quotes them: what is a keyword ({@code json} since 17) differs between versions. To be compared and read, not for statements. */
    public static String names(String text) {
        return text.indexOf('"') < 0 ? text : QUOTED.matcher(text).replaceAll("$1");
    }

    /** Of what went meanwhile servers say nothing. */
    static String of(@Nullable String definition) {
        return definition == null
                ? ""
                : names(PARENTHESIS
                        .matcher(CAST.matcher(definition).replaceAll(""))
                        .replaceAll(""));
    }
}
