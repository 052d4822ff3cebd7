package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.replication.AdditiveChange.NotAdditive;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A column's default that both sides fill the rows that exist with, each by itself: it has to be the same value there, whatever the session that asked for
 * it has set. The standby's has Eden's settings.
 */
final class ConstantDefault {
    /** Constants whose meaning is the moment. */
    private static final Pattern MOMENT =
            Pattern.compile("'\\s*(now|today|tomorrow|yesterday|allballs)\\b.*", Pattern.CASE_INSENSITIVE);

    private static final String NAME = "(?:\"(?:[^\"]|\"\")+\"|[\\p{L}_][\\p{L}\\p{N}_$]*)";

    /** Words with a blank between them. Only names: {@code IS NULL} and {@code AT TIME ZONE} would otherwise go for the rest of one. */
    private static final String TYPE =
            "(?:double precision|(?:national )?char(?:acter)? varying|national char(?:acter)?|bit varying"
                    + "|time(?:stamp)?(?: \\( \\d+ \\))? with(?:out)? time zone|" + NAME + "(?: \\. " + NAME + ")?)"
                    + "(?: \\( (?:- )?\\d+(?: , (?:- )?\\d+)? \\))?(?: \\[(?: \\d+)? \\])*";

    private static final Pattern CASTS = Pattern.compile("(?::: " + TYPE + " ?)*");

    private static final String DAY = "\\d{4}-\\d{2}-\\d{2}";
    private static final String TIME = "\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d+)?)?";
    private static final String OFFSET = "(?:[zZ]|[+-]\\d{2}(?::?\\d{2})?)";
    private static final String ALWAYS = "|-?infinity|epoch";

    private static final Pattern DATE = Pattern.compile(DAY + ALWAYS);
    private static final Pattern TIMESTAMP = Pattern.compile(DAY + "(?:[ T]" + TIME + OFFSET + "?)?" + ALWAYS);
    private static final Pattern TIMESTAMP_OF_ZONE = Pattern.compile(DAY + "[ T]" + TIME + " ?" + OFFSET + ALWAYS);
    private static final Pattern TIME_OF_ZONE = Pattern.compile(TIME + " ?" + OFFSET);
    /** A sign goes for one part or for all, as {@code intervalstyle} says. */
    private static final Pattern INTERVAL = Pattern.compile("[^-]*|P.*");

    private static final Pattern ANY = Pattern.compile(".*", Pattern.DOTALL);
    private static final Pattern EMPTY = Pattern.compile("empty|\\{\\s*\\}");

    /** By the session's time zone, order of dates and style of intervals, unless {@link #form} leaves nothing open. */
    private static final Set<String> READ_BY_SETTINGS =
            Set.of("timestamptz", "timestamp", "date", "timetz", "time", "interval");

    private static final Set<String> RANGES =
            Set.of("tstzrange", "tsrange", "daterange", "tstzmultirange", "tsmultirange", "datemultirange");

    /** By its locale or its search path. */
    private static final Set<String> BY_LOCALE_OR_PATH = Set.of(
            "money",
            "regclass",
            "regcollation",
            "regconfig",
            "regdictionary",
            "regnamespace",
            "regoper",
            "regoperator",
            "regproc",
            "regprocedure",
            "regrole",
            "regtype");

    private ConstantDefault() {}

    /**
     * True where it is another than NULL.
     *
     * @param type the words of the column before its default
     * @param value those of the default
     */
    static boolean of(List<String> type, List<String> value) throws NotAdditive {
        int at = 0;
        while (at < value.size() && (value.get(at).equals("-") || value.get(at).equals("+"))) {
            at++;
        }
        String first = at < value.size() ? value.get(at) : "";
        List<String> casts = value.subList(Math.min(at + 1, value.size()), value.size());
        boolean plain = first.startsWith("'") && !MOMENT.matcher(first).matches()
                || !first.isEmpty() && Character.isDigit(first.charAt(0))
                || Set.of("true", "false", "null").contains(first);
        if (!plain || !CASTS.matcher(String.join(" ", casts)).matches()) {
            throw new NotAdditive("the default is no constant: both sides would fill the rows that exist differently");
        }
        if (first.equals("null")) {
            return false;
        }
        String text = first.startsWith("'") ? first.substring(1, first.length() - 1) : first;
        for (List<String> one : types(type, casts)) {
            if (!read(one, text)) {
                throw new NotAdditive(
                        "what the default means depends on the session's settings, and both sides have others: write dates as"
                                + " YYYY-MM-DD, times with the offset from UTC, intervals without signs");
            }
        }
        return true;
    }

    /** The column's, and each that it is cast to. */
    private static List<List<String>> types(List<String> type, List<String> casts) {
        List<List<String>> all = new ArrayList<>();
        List<String> one = new ArrayList<>();
        for (String word : (Iterable<String>) Stream.concat(type.stream(), casts.stream())::iterator) {
            if (word.equals("::")) {
                all.add(one);
                one = new ArrayList<>();
            } else {
                one.add(word.startsWith("\"") ? word.substring(1, word.length() - 1) : word);
            }
        }
        all.add(one);
        return all;
    }

    /** The same under any settings. */
    private static boolean read(List<String> type, String text) {
        if (type.stream().anyMatch(BY_LOCALE_OR_PATH::contains)) {
            return false;
        }
        if (type.stream().anyMatch(RANGES::contains)) {
            return EMPTY.matcher(text).matches();
        }
        for (String word : type) {
            if (READ_BY_SETTINGS.contains(word)
                    || word.startsWith("_") && READ_BY_SETTINGS.contains(word.substring(1))) {
                boolean many = type.contains("[") || type.contains("array") || word.startsWith("_");
                return (many ? EMPTY : form(word, type)).matcher(text).matches();
            }
        }
        return true;
    }

    private static Pattern form(String word, List<String> type) {
        boolean zone = type.contains("with") && type.contains("zone");
        return switch (word) {
            case "date" -> DATE;
            case "interval" -> INTERVAL;
            case "timestamptz" -> TIMESTAMP_OF_ZONE;
            case "timestamp" -> zone ? TIMESTAMP_OF_ZONE : TIMESTAMP;
            case "timetz" -> TIME_OF_ZONE;
            default -> zone ? TIME_OF_ZONE : ANY;
        };
    }
}
