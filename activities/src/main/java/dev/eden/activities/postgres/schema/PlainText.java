package dev.eden.activities.postgres.schema;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a server says of a definition, without what differs where the types of columns do, or where a server has read what another one printed: casts, and
 * parentheses (of {@code BETWEEN} beside another condition, say). So what decides what belongs together is not compared.
 */
final class PlainText {
    private static final String WORD = "(?:\"[^\"]+\"|[a-z_][a-z0-9_]*)";
    private static final Pattern CAST = Pattern.compile(
            "::" + WORD + "(?:\\." + WORD + "|(?: [a-z]+)*)(?:\\([0-9,]+\\)(?: with(?:out)? time zone)?)?(?:\\[\\])*");
    private static final Pattern PARENTHESIS = Pattern.compile("[()]");

    private PlainText() {}

    /** Of what went meanwhile servers say nothing. */
    static String of(@Nullable String definition) {
        return definition == null
                ? ""
                : PARENTHESIS.matcher(CAST.matcher(definition).replaceAll("")).replaceAll("");
    }
}
