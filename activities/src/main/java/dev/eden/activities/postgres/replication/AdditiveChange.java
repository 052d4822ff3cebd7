package dev.eden.activities.postgres.replication;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A change of a table's schema that only adds: rows of the old shape fit where it was made and come out the same on both sides. That is known
 * by its words; whether a type becomes wider only the servers can say, see {@link #wider}.
 */
public sealed interface AdditiveChange {

    /** {@code ALTER TABLE} with columns to be added, and others whose type changes; names as in the catalogue. */
    record Columns(List<String> added, List<String> retyped, boolean defaults) implements AdditiveChange {}

    /** {@code CREATE INDEX}, not unique: a unique one would refuse rows that the other side still takes. */
    record Index(boolean concurrently) implements AdditiveChange {}

    /** What it is not, in words for whoever sent it. */
    final class NotAdditive extends Exception {
        NotAdditive(String why) {
            super(why, null, false, false);
        }
    }

    /** One that has no other within it: servers nest them, and Eden's function in the servers' event trigger reads them by the same pattern. */
    String COMMENT = "--[^\\n\\r]*+|/\\*[^*/]*+(?:(?:\\*(?!/)|/(?!\\*))[^*/]*+)*+\\*/";

    Pattern TOKEN = Pattern.compile(
            "\\s+|(?<comment>" + COMMENT
                    + ")|(?<name>\"(?:[^\"]|\"\")+\")|(?<text>'(?:[^']|'')*')|(?<word>[\\p{L}_][\\p{L}\\p{N}_$]*)|(?<number>\\d+(?:\\.\\d*)?|\\.\\d+)|(?<other>::|[-+().,;\\[\\]])");

    /** What a column may not bring: rows that come in the meantime could not satisfy it, or both sides would fill it differently. */
    Set<String> CONDITIONS = Set.of(
            "references",
            "primary",
            "unique",
            "check",
            "generated",
            "constraint",
            "exclude",
            "foreign",
            "using",
            "storage",
            "compression");

    Set<String> SERIALS = Set.of("serial", "serial2", "serial4", "serial8", "smallserial", "bigserial");

    /** Throws where the statement is anything else. */
    static AdditiveChange of(String statement) throws NotAdditive {
        Matcher index = Pattern.compile(
                        "(?:\\s|" + COMMENT
                                + ")*+create\\s+(?<unique>unique\\s+)?index\\s+(?<concurrently>concurrently\\b)?[^;]*;?\\s*",
                        Pattern.CASE_INSENSITIVE)
                .matcher(statement);
        if (index.matches()) {
            if (index.group("unique") != null) {
                throw new NotAdditive("a unique index would stop the standby at rows that the other side still takes");
            }
            return new Index(index.group("concurrently") != null);
        }
        Words words = new Words(statement);
        words.expect("alter");
        words.expect("table");
        if (words.take("if")) {
            words.expect("exists");
        }
        words.take("only");
        words.name();
        if (words.take(".")) {
            words.name();
        }
        List<String> added = new ArrayList<>();
        List<String> retyped = new ArrayList<>();
        boolean defaults = false;
        do {
            if (words.take("add")) {
                words.take("column");
                if (words.take("if")) {
                    throw new NotAdditive("IF NOT EXISTS leaves open what is added");
                }
                String name = words.name();
                if (CONDITIONS.contains(name) || name.equals("not")) {
                    throw new NotAdditive("only columns can be added and types widened");
                }
                added.add(name);
                defaults |= column(words.action());
            } else if (words.take("alter")) {
                words.take("column");
                retyped.add(words.name());
                if (words.take("set")) {
                    words.expect("data");
                }
                words.expect("type");
                type(words.action());
            } else {
                throw new NotAdditive("only columns can be added and types widened");
            }
        } while (words.take(","));
        words.end();
        return new Columns(List.copyOf(added), List.copyOf(retyped), defaults);
    }

    /** True with a default other than NULL. */
    private static boolean column(List<String> words) throws NotAdditive {
        conditions(words);
        for (String word : words) {
            if (SERIALS.contains(word)) {
                throw new NotAdditive("each side would number the rows by itself");
            }
        }
        int at = words.indexOf("default");
        boolean required = false;
        for (int i = 1; i < words.size(); i++) {
            required |= words.get(i).equals("null") && words.get(i - 1).equals("not");
        }
        if (at < 0) {
            if (required) {
                throw new NotAdditive("a column that must not be null needs a default: rows without it are under way");
            }
            return false;
        }
        List<String> value = new ArrayList<>(words.subList(at + 1, words.size()));
        if (required && value.size() > 1 && value.get(value.size() - 2).equals("not")) {
            value.subList(value.size() - 2, value.size()).clear();
        }
        return ConstantDefault.of(words.subList(0, at), value);
    }

    private static void type(List<String> words) throws NotAdditive {
        conditions(words);
        if (words.contains("collate")) {
            throw new NotAdditive("another collation orders rows otherwise");
        }
    }

    private static void conditions(List<String> words) throws NotAdditive {
        for (String word : words) {
            if (CONDITIONS.contains(word)) {
                throw new NotAdditive("no " + word.toUpperCase(Locale.ROOT) + " goes with it");
            }
        }
    }

    /** True where every value of one type (as {@code format_type} calls it) is one of the other, with the same text. */
    static boolean wider(String from, String to) {
        if (from.equals(to)) {
            return true;
        }
        List<String> integers = List.of("smallint", "integer", "bigint");
        if (integers.contains(from)) {
            return integers.indexOf(to) > integers.indexOf(from) || to.equals("numeric");
        }
        Pattern varying = Pattern.compile("character varying(?:\\((\\d+)\\))?");
        Matcher old = varying.matcher(from);
        if (old.matches()) {
            Matcher wide = varying.matcher(to);
            return to.equals("text")
                    || wide.matches()
                            && (wide.group(1) == null
                                    || old.group(1) != null
                                            && Integer.parseInt(wide.group(1)) >= Integer.parseInt(old.group(1)));
        }
        Pattern numeric = Pattern.compile("numeric\\((\\d+),(\\d+)\\)");
        Matcher narrow = numeric.matcher(from);
        if (narrow.matches()) {
            Matcher wide = numeric.matcher(to);
            return to.equals("numeric")
                    || wide.matches()
                            && wide.group(2).equals(narrow.group(2))
                            && Integer.parseInt(wide.group(1)) >= Integer.parseInt(narrow.group(1));
        }
        return from.equals("text") && to.equals("character varying");
    }

    /** The words of one statement; unquoted ones in lower case. */
    final class Words {
        private final List<String> words = new ArrayList<>();
        private final List<String> signs = new ArrayList<>();
        private int next;

        Words(String statement) throws NotAdditive {
            Matcher token = TOKEN.matcher(statement);
            int at = 0;
            while (at < statement.length()) {
                if (!token.find(at) || token.start() != at) {
                    throw new NotAdditive(
                            switch (statement.charAt(at)) {
                                case '$' -> "Eden reads no literal between dollar signs: write it between quotes";
                                case '/' -> "Eden reads no comment that has another within it";
                                default ->
                                    "Eden reads names, numbers, literals between quotes and casts only, no operators and parameters";
                            });
                }
                at = token.end();
                String word = token.group("word");
                String other = token.group("other");
                if (token.group().isBlank() || token.group("comment") != null) {
                    continue;
                }
                words.add(word != null ? word.toLowerCase(Locale.ROOT) : token.group());
                signs.add(other == null ? "" : other);
            }
            if (!signs.isEmpty() && signs.getLast().equals(";")) {
                words.removeLast();
                signs.removeLast();
            }
            if (signs.contains(";")) {
                throw new NotAdditive("it has to come alone, not with other statements");
            }
        }

        boolean take(String word) {
            boolean here = next < words.size() && words.get(next).equals(word);
            next += here ? 1 : 0;
            return here;
        }

        void expect(String word) throws NotAdditive {
            if (!take(word)) {
                throw new NotAdditive("only columns can be added and types widened");
            }
        }

        /** As in the catalogue. */
        String name() throws NotAdditive {
            String word = next < words.size() ? words.get(next++) : "";
            if (word.startsWith("\"")) {
                return word.substring(1, word.length() - 1).replace("\"\"", "\"");
            }
            if (word.isEmpty() || !(Character.isLetter(word.charAt(0)) || word.charAt(0) == '_')) {
                throw new NotAdditive("only columns can be added and types widened");
            }
            return word;
        }

        /** Up to the comma that ends the action. */
        List<String> action() {
            int depth = 0;
            int from = next;
            while (next < words.size() && (depth > 0 || !signs.get(next).equals(","))) {
                depth += switch (signs.get(next)) {
                    case "(" -> 1;
                    case ")" -> -1;
                    default -> 0;
                };
                next++;
            }
            return words.subList(from, next);
        }

        void end() throws NotAdditive {
            if (next < words.size()) {
                throw new NotAdditive("only columns can be added and types widened");
            }
        }
    }
}
