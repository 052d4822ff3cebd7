package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.SqlTokens.Token;
import io.netty.buffer.ByteBuf;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks through the text of a query for what it leaves behind in the session: judges by first words and by names of functions. Where it cannot tell it says so: a
 * pin too many costs a probe, a pin too few would show one client's state to another. What functions of the user do inside is invisible
 * here; the code of a DO is looked through as well.
 */
final class StatementText {
    /** A word longer than this is no keyword. */
    private static final int LONGEST = 40;

    private static final Set<String> HIDDEN =
            Set.of("currval", "lastval", "setseed", "dblink_connect", "dblink_connect_u", "dblink_disconnect");

    /** Of literals in literals. */
    private static final int DEEPEST = 8;

    /** Neither add to a session's state nor take from it, but by functions that they call. */
    private static final Set<String> PASSING = Set.of(
            "select",
            "insert",
            "update",
            "delete",
            "merge",
            "with",
            "values",
            "table",
            "copy",
            "begin",
            "start",
            "commit",
            "end",
            "rollback",
            "abort",
            "savepoint",
            "release",
            "show",
            "notify",
            "fetch",
            "lock",
            "truncate");

    /**
     * What a text leaves behind.
     *
     * @param resets by RESET or DISCARD ALL
     * @param resetsSearchPath by RESET, search_path among others
     * @param deallocates the prepared statement that this drops and does nothing else
     * @param executes the one that this executes by SQL and does nothing else
     * @param drops all prepared statements
     * @param customs names of customized options (with a dot) that it may set in the session: no catalogue shows them
     * @param sets may change settings, if only to the end of the batch
     */
    record Effect(
            int pins,
            boolean resets,
            boolean resetsSearchPath,
            @Nullable String deallocates,
            @Nullable String executes,
            boolean drops,
            boolean onlySearchPath,
            List<String> customs,
            Touch touch,
            boolean sets) {
        static final Effect NONE =
                new Effect(0, false, false, null, null, false, false, List.of(), Touch.NOTHING, false);

        /** A text that nobody has looked through to its end. */
        static final Effect UNKNOWN =
                new Effect(Pin.UNKNOWN.bit(), false, false, null, null, false, false, List.of(), Touch.SESSION, true);
    }

    /** What of a session's state is another afterwards, as far as the text tells. */
    enum Touch {
        NOTHING,
        /** What a statement prepared by SQL does; that was in the text of its PREPARE. */
        PREPARED,
        SESSION
    }

    private final SqlTokens in;

    private int pins;
    private boolean searchPath;
    private boolean resets;
    private boolean resetsSearchPath;
    private @Nullable String deallocates;
    private @Nullable String executes;
    private boolean drops;
    private final Set<String> customs = new LinkedHashSet<>(0);
    private int statements;
    private boolean sets;
    /** What comes next is the name of what is updated. */
    private boolean updates;

    private Touch touch = Touch.NOTHING;

    private StatementText(SqlTokens in) {
        this.in = in;
    }

    /** The text from {@code from} to its zero or {@code limit}. */
    static Effect classify(ByteBuf in, int from, int limit) {
        StatementText text = new StatementText(new SqlTokens(in, from, limit));
        text.run();
        if (text.pins == 0 && !text.resets && text.deallocates == null && text.touch == Touch.NOTHING && !text.sets) {
            return Effect.NONE;
        }
        return new Effect(
                text.pins,
                text.resets,
                text.resetsSearchPath,
                text.statements == 1 ? text.deallocates : null,
                text.statements == 1 ? text.executes : null,
                text.drops,
                text.searchPath && text.statements == 1,
                List.copyOf(text.customs),
                text.touch,
                text.sets);
    }

    /** A text that executes or deallocates a prepared statement, to its zero, with another name of that. */
    static void renamed(ByteBuf in, int from, int limit, byte[] name, ByteBuf out) {
        SqlTokens tokens = new SqlTokens(in, from, limit);
        Token token = tokens.next();
        while (token == Token.SEMICOLON) {
            token = tokens.next();
        }
        boolean drops = tokens.is("deallocate");
        token = tokens.next();
        if (drops && token == Token.WORD && tokens.is("prepare")) {
            token = tokens.next();
        }
        int quote = token == Token.QUOTED ? 1 : 0;
        int to = tokens.begin() + tokens.length() + quote;
        out.writeBytes(in, from, tokens.begin() - quote - from).writeBytes(name);
        out.writeBytes(in, to, limit - to);
    }

    private void run() {
        Token token = in.next();
        while (token != Token.END) {
            if (token == Token.SEMICOLON) {
                token = in.next();
                continue;
            }
            statements++;
            touch(first(token));
            token = statement(token);
        }
    }

    private Touch first(Token token) {
        if (token == Token.WORD && in.length() <= LONGEST) {
            String word = in.word();
            return PASSING.contains(word) ? Touch.NOTHING : word.equals("execute") ? Touch.PREPARED : Touch.SESSION;
        }
        return token == Token.WORD || token == Token.QUOTED ? Touch.SESSION : Touch.NOTHING;
    }

    private void touch(Touch by) {
        touch = by.compareTo(touch) > 0 ? by : touch;
    }

    private Token statement(Token first) {
        if (first == Token.WORD) {
            switch (in.word()) {
                case "set" -> {
                    sets = true;
                    return set();
                }
                case "reset" -> {
                    resets = true;
                    sets = true;
                    Token token = in.next();
                    resetsSearchPath |= token != Token.WORD || in.is("all") || in.is("search_path");
                    if (token == Token.WORD && (in.is("role") || in.is("session"))) {
                        return rest(in.next());
                    }
                    return rest(token);
                }
                case "listen" -> pin(Pin.LISTEN);
                case "prepare" -> {
                    Token token = in.next();
                    if (token != Token.WORD || !in.is("transaction")) {
                        pin(Pin.PREPARE);
                    }
                    return rest(token);
                }
                case "deallocate" -> {
                    return deallocate();
                }
                case "execute" -> {
                    executes = name(in.next());
                    sets = true;
                    return rest(in.next());
                }
                case "discard" -> {
                    Token token = in.next();
                    if (token == Token.WORD && in.is("all")) {
                        resets = true;
                        drops = true;
                        sets = true;
                    }
                    return rest(token);
                }
                case "declare" -> {
                    return declare();
                }
                case "create" -> {
                    return create();
                }
                case "do" -> {
                    pin(Pin.UNKNOWN);
                    sets = true;
                    return block();
                }
                case "call", "load" -> {
                    pin(Pin.UNKNOWN);
                    sets = true;
                }
                case "update" -> updates = true;
                default -> {
                    // judged by what it calls
                }
            }
        }
        return rest(in.next());
    }

    /** {@code SET [SESSION | LOCAL] name {TO | =} …} and its special forms. */
    private Token set() {
        Token token = in.next();
        if (token == Token.WORD && in.is("session")) {
            token = in.next();
            if (token == Token.WORD && in.is("authorization")) {
                pin(Pin.HIDDEN); // the session's user and the current one are the same again, and another
                return rest(in.next());
            }
            if (token == Token.WORD && in.is("characteristics")) {
                pin(Pin.SETTING);
                return rest(in.next());
            }
        }
        if (token != Token.WORD) {
            pin(token == Token.QUOTED ? Pin.SETTING : Pin.UNKNOWN);
            return token == Token.QUOTED ? custom(in.name()) : rest(token);
        }
        switch (in.word()) {
            case "local", "transaction", "constraints" -> {
                // ends with the transaction
            }
            case "role" -> pin(Pin.ROLE);
            case "time", "names" -> {
                // SET TIME ZONE, SET NAMES: reported
            }
            case "schema" -> {
                pin(Pin.SETTING);
                searchPath = true;
            }
            default -> {
                int index = Settings.index(in.word());
                if (index < 0 || index == Settings.SEARCH_PATH) {
                    pin(Pin.SETTING);
                    searchPath = index == Settings.SEARCH_PATH;
                    return custom(in.word());
                }
            }
        }
        return rest(in.next());
    }

    /** The rest of a SET whose option's name begins with {@code first}. */
    private Token custom(String first) {
        StringBuilder name = new StringBuilder(first);
        Token token = in.next();
        while (token == Token.OTHER && in.first() == '.') {
            token = in.next();
            name.append('.').append(token == Token.QUOTED ? in.name() : token == Token.WORD ? in.word() : "");
            token = in.next();
        }
        named(name.toString());
        return rest(token);
    }

    private void named(String option) {
        if (option.indexOf('.') >= 0 && !option.endsWith(".")) {
            customs.add(option.toLowerCase(Locale.ROOT));
        }
    }

    private Token deallocate() {
        Token token = in.next();
        if (token == Token.WORD && in.is("prepare")) {
            token = in.next();
        }
        if (token == Token.WORD && in.is("all")) {
            deallocates = null;
            drops = true;
        } else {
            deallocates = name(token);
        }
        return rest(in.next());
    }

    private @Nullable String name(Token token) {
        return token == Token.WORD ? in.word() : token == Token.QUOTED ? in.name() : null;
    }

    private Token declare() {
        boolean with = false;
        for (Token token = in.next(); ; token = in.next()) {
            if (token == Token.END || token == Token.SEMICOLON) {
                return token;
            }
            if (token == Token.WORD) {
                if (with && in.is("hold")) {
                    pin(Pin.CURSOR);
                }
                with = in.is("with");
                function();
            }
        }
    }

    private Token create() {
        Token token = in.next();
        for (int i = 0; i < 4 && token == Token.WORD; i++) {
            if (in.is("temp") || in.is("temporary")) {
                pin(Pin.TEMPORARY);
                break;
            }
            if (!in.is("or") && !in.is("replace") && !in.is("local") && !in.is("global") && !in.is("recursive")) {
                break;
            }
            token = in.next();
        }
        return rest(token);
    }

    /** The code of a DO: an option that it sets may be one that no catalogue shows. */
    private Token block() {
        Token token = in.next();
        while (token != Token.END && token != Token.SEMICOLON) {
            if (token == Token.LITERAL) {
                lookInto(in.content(), 0);
            }
            token = in.next();
        }
        return token;
    }

    private void lookInto(ByteBuf code, int depth) {
        if (depth > DEEPEST) {
            pin(Pin.HIDDEN);
            return;
        }
        StatementText inner = new StatementText(new SqlTokens(code, 0, code.writerIndex()));
        inner.code(depth);
        for (Pin pin : Pin.of(inner.pins)) {
            pin(pin);
        }
        customs.addAll(inner.customs);
    }

    /** Statements as they stand in a block, and texts that it may execute. */
    private void code(int depth) {
        boolean executes = depth > 0 || OptionText.executes(in.ahead());
        boolean begins = true;
        Token token = in.next();
        while (token != Token.END) {
            if (token == Token.WORD && begins && in.is("set")) {
                if (!OptionText.tells(in.ahead())) {
                    pin(Pin.HIDDEN);
                }
                token = set();
                continue;
            }
            updated(token);
            if (token == Token.WORD || token == Token.QUOTED) {
                function();
            }
            if (executes && (token == Token.LITERAL || token == Token.QUOTED)) {
                lookInto(in.content(), depth + 1);
            }
            begins = token == Token.SEMICOLON
                    || token == Token.WORD && (in.is("begin") || in.is("then") || in.is("else") || in.is("loop"));
            token = in.next();
        }
    }

    /** {@code UPDATE [ONLY] [pg_catalog.]pg_settings} sets what it updates; the token at hand is the next of it, or begins it. */
    private void updated(Token token) {
        if (token == Token.WORD && in.is("update")) {
            updates = true;
        } else if (updates && (token == Token.WORD || token == Token.QUOTED)) {
            if (in.is("pg_settings")) {
                pin(Pin.SETTING);
                sets = true;
            }
            updates = in.is("only") || in.is("pg_catalog");
        }
    }

    /** To the end of the statement, looking for functions and for {@code INTO TEMP}. */
    private Token rest(Token from) {
        Token token = from;
        boolean into = false;
        while (token != Token.END && token != Token.SEMICOLON) {
            updated(token);
            if (token == Token.WORD) {
                int length = in.length();
                if (into && (in.is("temp") || in.is("temporary") || in.is("local") || in.is("global"))) {
                    pin(Pin.TEMPORARY);
                }
                into = length == 4 && in.is("into");
                if (length >= 7) {
                    function();
                }
            } else if (token == Token.QUOTED) {
                function();
            }
            token = in.next();
        }
        updates = false;
        return token;
    }

    /** The word at hand, if it is the name of something that leaves state behind. */
    private void function() {
        int first = in.first() | 0x20;
        if (first != 'p' && first != 's' && first != 'c' && first != 'l' && first != 'd') {
            return;
        }
        if (in.length() > LONGEST) {
            return;
        }
        String name = in.word();
        if (name.startsWith("pg_temp")) {
            pin(Pin.TEMPORARY);
        } else if (name.startsWith("pg_advisory_lock") || name.startsWith("pg_try_advisory_lock")) {
            pin(Pin.ADVISORY_LOCK);
        } else if (name.startsWith("pg_advisory_unlock")) {
            touch(Touch.SESSION);
        } else if (name.equals("set_config")) {
            sets = true;
            setConfig(in.ahead());
        } else if (HIDDEN.contains(name)) {
            pin(Pin.HIDDEN);
        }
    }

    /** {@code set_config(…)}: what is only the transaction's leaves nothing, and whose name is not a plain literal nobody can ask for. */
    private void setConfig(SqlTokens call) {
        OptionText.Call what = OptionText.setConfig(call);
        String option = what.option();
        if (option != null && what.local()) {
            return;
        }
        pin(Pin.SETTING);
        if (option != null) {
            named(option);
        } else {
            pin(Pin.HIDDEN);
        }
    }

    private void pin(Pin pin) {
        pins |= pin.bit();
        touch(Touch.SESSION);
    }
}
