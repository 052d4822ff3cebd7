package dev.eden.activities.postgres;

import java.util.List;
import java.util.stream.Collectors;

/** Quoting for statements that take no parameters. */
public final class Sql {
    private Sql() {}

    /** A quoted identifier, whatever it holds. */
    public static String name(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    public static String name(String schema, String object) {
        return name(schema) + "." + name(object);
    }

    public static String names(List<String> identifiers) {
        return identifiers.stream().map(Sql::name).collect(Collectors.joining(", "));
    }

    /** A string literal; a backslash means itself ({@code E''} with it doubled, whatever standard_conforming_strings says). */
    public static String text(String value) {
        String quoted = "'" + value.replace("'", "''").replace("\\", "\\\\") + "'";
        return value.indexOf('\\') < 0 ? quoted : " E" + quoted;
    }
}
