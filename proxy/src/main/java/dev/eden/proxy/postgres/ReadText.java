package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.SqlTokens.Token;
import io.netty.buffer.ByteBuf;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a query's text is a read that gives the same on the standby: one SELECT in which every name that a relation or a function has is
 * admitted by the catalogues ({@link ReadCatalogue}), nothing locks, writes, or looks at a clock, a session or a system's own columns. It does
 * not understand the query and need not: it admits by what cannot be in it. What it does not know goes to the active side.
 */
final class ReadText {
    /** Longer texts are not looked through for every execution. */
    static final int LONGEST = 1 << 16;

    private static final Set<String> READS = Set.of("select", "with", "values", "table", "show", "explain", "fetch");

    private static final Set<String> WRITES = Set.of("insert", "update", "delete", "merge", "into", "copy");

    /** Unquoted, these run or lock without a parenthesis behind them. */
    private static final Set<String> SESSION = Set.of(
            "current_user", "session_user", "user", "current_role", "system_user", "current_catalog", "current_schema");

    /** What a server tells of itself by these, quoted or not, another tells otherwise: numbers of its own, and where its rows are. */
    private static final Set<String> SYSTEM = Set.of(
            "ctid",
            "xmin",
            "xmax",
            "cmin",
            "cmax",
            "tableoid",
            "regclass",
            "regproc",
            "regprocedure",
            "regoper",
            "regoperator",
            "regtype",
            "regrole",
            "regnamespace",
            "regconfig",
            "regdictionary",
            "regcollation",
            "information_schema");

    private static final Set<String> CLOCKS =
            Set.of("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp");

    /** May stand before a parenthesis without calling anything of that name. */
    private static final Set<String> SYNTAX = Set.of(
            "and",
            "or",
            "not",
            "in",
            "any",
            "all",
            "some",
            "exists",
            "select",
            "from",
            "where",
            "values",
            "on",
            "using",
            "then",
            "when",
            "else",
            "case",
            "as",
            "over",
            "filter",
            "within",
            "by",
            "having",
            "limit",
            "offset",
            "union",
            "except",
            "intersect",
            "distinct",
            "coalesce",
            "nullif",
            "greatest",
            "least",
            "cast",
            "extract",
            "substring",
            "overlay",
            "position",
            "trim",
            "row",
            "array",
            "like",
            "ilike",
            "to",
            "between",
            "is",
            "lateral",
            "join",
            "only",
            "materialized",
            "cube",
            "rollup",
            "sets",
            "group",
            "with",
            "numeric",
            "decimal",
            "varchar",
            "char",
            "character",
            "varying",
            "bpchar",
            "float",
            "bit",
            "time",
            "timestamp",
            "timestamptz",
            "timetz",
            "interval",
            "precision");

    /** Which rows, or in which order they are put together, is not said by the query alone. */
    private static final Set<String> UNORDERED = Set.of(
            "limit",
            "offset",
            "fetch",
            "distinct",
            "over",
            "array",
            "string_agg",
            "array_agg",
            "json_agg",
            "jsonb_agg",
            "json_object_agg",
            "jsonb_object_agg",
            "xmlagg",
            "any_value",
            "mode",
            "sum",
            "avg");

    /**
     * @param read false: no read at all, nothing to count
     * @param reason why it must be served by the active side; null: it need not
     * @param comparable its rows, as a bag, are the same on every server with the same data
     */
    record Verdict(boolean read, @Nullable String reason, boolean comparable) {
        static final Verdict NO_READ = new Verdict(false, "no_read", false);
        private static final Verdict SAME = new Verdict(true, null, true);
        private static final Verdict SERVED = new Verdict(true, null, false);

        private static Verdict refused(String reason) {
            return new Verdict(true, reason, false);
        }
    }

    private final ReadCatalogue catalogue;
    private final SqlTokens in;
    private boolean tables;
    private boolean comparable = true;

    private ReadText(ReadCatalogue catalogue, SqlTokens in) {
        this.catalogue = catalogue;
        this.in = in;
    }

    /** True where the text begins like one that only reads. */
    static boolean begins(ByteBuf in, int from, int limit) {
        SqlTokens tokens = new SqlTokens(in, from, limit);
        Token first = tokens.next();
        return first == Token.OPEN || first == Token.WORD && tokens.length() <= 7 && READS.contains(tokens.word());
    }

    static Verdict judge(ReadCatalogue catalogue, ByteBuf text, int from, int limit) {
        if (!begins(text, from, limit)) {
            return Verdict.NO_READ;
        }
        if (limit - from > LONGEST) {
            return Verdict.refused("text");
        }
        String nothing = catalogue.unnamed();
        if (nothing != null) {
            return Verdict.refused(nothing);
        }
        if (declaresLocal(text, from, limit)) {
            return Verdict.refused("type");
        }
        return new ReadText(catalogue, new SqlTokens(text, from, limit)).judge();
    }

    /** True where the parameters' types that follow a text in a Parse message include one whose values are a server's own numbers. */
    private static boolean declaresLocal(ByteBuf in, int from, int limit) {
        int at = Message.endOfString(in, from, limit) + 1;
        if (at == 0 || limit - at < 2) {
            return false;
        }
        int types = in.getUnsignedShort(at);
        for (at += 2; types > 0 && limit - at >= 4; types--, at += 4) {
            if (SentTypes.local(in.getInt(at))) {
                return true;
            }
        }
        return false;
    }

    private Verdict judge() {
        Token token = in.next();
        if (token != Token.WORD || !in.is("select") && !in.is("with")) {
            return Verdict.refused("statement");
        }
        String name = null;
        boolean called = false;
        Token before = Token.END;
        while (token != Token.END) {
            if (token == Token.SEMICOLON) {
                return in.next() == Token.END ? verdict() : Verdict.refused("statement");
            }
            String reason = null;
            switch (token) {
                case WORD -> {
                    name = in.word();
                    called = !SYNTAX.contains(name);
                    if (WRITES.contains(name)) {
                        return name.equals("update") ? Verdict.refused("locks") : Verdict.NO_READ;
                    }
                    reason = word(name);
                }
                case QUOTED -> {
                    name = in.name();
                    called = true;
                    reason = in.length() > 63 || name.startsWith("pg_")
                            ? "text"
                            : SYSTEM.contains(name) ? "system" : named(name);
                }
                case OPEN -> reason = name == null ? null : call(name, called);
                case LITERAL -> reason = before == Token.LITERAL ? "text" : literal(in.raw());
                case OTHER -> reason = other();
                case SEMICOLON, END -> {
                    // above
                }
            }
            if (reason != null) {
                return Verdict.refused(reason);
            }
            if (token != Token.WORD && token != Token.QUOTED) {
                name = null;
            }
            before = token;
            token = in.next();
        }
        return verdict();
    }

    private Verdict verdict() {
        if (!tables) {
            return Verdict.refused("no_table");
        }
        return comparable ? Verdict.SAME : Verdict.SERVED;
    }

    private @Nullable String word(String word) {
        if (CLOCKS.contains(word)) {
            return "clock";
        }
        if (SESSION.contains(word) || SYSTEM.contains(word) || word.startsWith("pg_")) {
            return "system";
        }
        if (in.length() > 63) {
            return "text";
        }
        if (word.equals("share") || word.equals("tablesample") || word.equals("u")) {
            return word.equals("share") ? "locks" : "text";
        }
        comparable &= !UNORDERED.contains(word);
        return named(word);
    }

    private @Nullable String named(String name) {
        if (catalogue.refused(name)) {
            return "function";
        }
        if (catalogue.renumbered(name)) {
            return "type";
        }
        Boolean table = catalogue.table(name);
        if (table != null) {
            tables = true;
            return table ? null : "relation";
        }
        return null;
    }

    private @Nullable String call(String name, boolean called) {
        Boolean function = catalogue.function(name);
        if (function == null) {
            return called ? "function" : null;
        }
        return function || !called && !catalogue.refused(name) ? null : "function";
    }

    /** Words that the server takes for a moment, and escapes that could hide one. */
    private static @Nullable String literal(String raw) {
        if (raw.indexOf('\\') >= 0 || raw.startsWith("$")) {
            return "text";
        }
        return raw.length() < 5 || !clock(raw) ? null : "clock";
    }

    /** True where a text, read as a moment, could mean a clock's. */
    static boolean clock(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        return lower.contains("now")
                || lower.contains("today")
                || lower.contains("tomorrow")
                || lower.contains("yesterday");
    }

    /** A number or parameter that ends in letters could hide a word. */
    private @Nullable String other() {
        int first = in.first();
        if (first == '\\' || first == '$' || first >= '0' && first <= '9') {
            for (int i = 1; i < in.length(); i++) {
                int c = in.byteAt(i);
                if ((c < '0' || c > '9') && (c != '.' || first == '$')) {
                    return "text";
                }
            }
            return first == '\\' ? "text" : null;
        }
        return null;
    }
}
