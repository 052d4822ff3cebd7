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

    /** Statements that may have drawn a number from a sequence, or call what does. */
    private static final Set<String> DRAWING = Set.of(
            "select", "insert", "update", "delete", "merge", "with", "values", "copy", "call", "do", "execute",
            "explain");

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
     * @param resets tracked settings that it has be what they were in the beginning, as {@link Settings#bit} has them
     * @param assigns those that it sets, in the same way
     * @param resetsSearchPath by RESET, search_path among others
     * @param deallocates the prepared statement that this drops and does nothing else
     * @param executes the one that this executes by SQL and does nothing else
     * @param drops all prepared statements
     * @param customs names of customized options (with a dot) that it may set in the session: no catalogue shows them
     * @param sets may change settings, if only to the end of the batch
     * @param lasting what it leaves outlives DISCARD ALL
     * @param asks what the session has drawn from sequences, and draws nothing before
     */
    record Effect(
            int pins,
            int resets,
            int assigns,
            boolean resetsSearchPath,
            @Nullable String deallocates,
            @Nullable String executes,
            boolean drops,
            boolean onlySearchPath,
            List<String> customs,
            Touch touch,
            boolean sets,
            boolean lasting,
            boolean asks) {
        static final Effect NONE =
                new Effect(0, 0, 0, false, null, null, false, false, List.of(), Touch.NOTHING, false, false, false);

        /** A text that nobody has looked through to its end. */
        static final Effect UNKNOWN = new Effect(
                Pin.UNKNOWN.bit(), 0, 0, false, null, null, false, false, List.of(), Touch.SESSION, true, false, false);
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
    private int resets;
    private int assigns;
    private boolean resetsSearchPath;
    private @Nullable String deallocates;
    private @Nullable String executes;
    private boolean drops;
    private final Set<String> customs = new LinkedHashSet<>(0);
    private int statements;
    private boolean sets;
    /** What comes next is the name of what is updated. */
    private boolean updates;

    private boolean lasting;
    private boolean asks;
    /** Something before may have drawn from a sequence. */
    private boolean drawn;
    /** The statement at hand may. */
    private boolean draws;
    /** Where the name of the table stands that the statement at hand inserts into; -1: it does not. */
    private int table = -1;

    private int tableLength;

    private Touch touch = Touch.NOTHING;

    private StatementText(SqlTokens in) {
        this.in = in;
    }

    /** The text from {@code from} to its zero or {@code limit}; {@code plainBackslashes}: of the session that reads it. */
    static Effect classify(ByteBuf in, int from, int limit, boolean plainBackslashes) {
        StatementText text = new StatementText(new SqlTokens(in, from, limit, plainBackslashes));
        text.run();
        if (text.pins == 0 && text.deallocates == null && text.touch == Touch.NOTHING && !text.sets) {
            return Effect.NONE;
        }
        return new Effect(
                text.pins,
                text.resets,
                text.assigns,
                text.resetsSearchPath,
                text.statements == 1 ? text.deallocates : null,
                text.statements == 1 ? text.executes : null,
                text.drops,
                text.searchPath && text.statements == 1,
                List.copyOf(text.customs),
                text.touch,
                text.sets,
                text.lasting,
                text.asks);
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
            drawn |= draws;
            table = -1;
        }
    }

    private Touch first(Token token) {
        if (token == Token.WORD && in.length() <= LONGEST) {
            String word = in.word();
            draws = DRAWING.contains(word);
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
                    sets = true;
                    return reset();
                }
                case "explain" -> {
                    return explain();
                }
                case "insert" -> {
                    return insert();
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
                        resets(Settings.ALL);
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
                token = in.next();
                if (token != Token.WORD || !in.is("default")) {
                    pin(Pin.HIDDEN); // the session's user and the current one are the same again, and another
                }
                return rest(token);
            }
            if (token == Token.WORD && in.is("characteristics")) {
                assigns(Settings.bit(Settings.READ_ONLY));
                pin(Pin.SETTING);
                return rest(in.next());
            }
        }
        if (token != Token.WORD) {
            pin(token == Token.QUOTED ? Pin.SETTING : Pin.UNKNOWN);
            return token == Token.QUOTED ? option(in.name()) : rest(token);
        }
        switch (in.word()) {
            case "local" -> { // ends with the transaction
                token = in.next();
                String option = name(token);
                seeds(option == null ? "" : option);
                return rest(token);
            }
            case "transaction", "constraints" -> {
                // ends with the transaction
            }
            case "role" -> pin(Pin.ROLE);
            case "time" -> { // SET TIME ZONE: reported
                in.next();
                return value(Settings.TIME_ZONE, in.next());
            }
            case "names" -> { // reported
                return value(Settings.CLIENT_ENCODING, in.next());
            }
            case "schema" -> {
                assigns(Settings.bit(Settings.SEARCH_PATH));
                pin(Pin.SETTING);
                searchPath = true;
            }
            default -> {
                int index = Settings.index(in.word());
                if (index < 0 || index == Settings.SEARCH_PATH) {
                    pin(Pin.SETTING);
                    searchPath = index == Settings.SEARCH_PATH;
                }
                return option(in.word());
            }
        }
        return rest(in.next());
    }

    /** The rest of a SET whose option's name begins with {@code first}. */
    private Token option(String first) {
        StringBuilder name = new StringBuilder(first);
        Token token = in.next();
        while (token == Token.OTHER && in.first() == '.') {
            token = in.next();
            name.append('.').append(token == Token.QUOTED ? in.name() : token == Token.WORD ? in.word() : "");
            token = in.next();
        }
        named(name.toString());
        seeds(name.toString());
        int index = Settings.index(name.toString());
        return index < 0 || token == Token.END || token == Token.SEMICOLON ? rest(token) : value(index, in.next());
    }

    /** What a tracked setting is set to: nothing, DEFAULT or (of the time zone) LOCAL is what it was in the beginning. */
    private Token value(int index, Token value) {
        boolean first = value == Token.END
                || value == Token.SEMICOLON
                || value == Token.WORD && (in.is("default") || index == Settings.TIME_ZONE && in.is("local"));
        if (first) {
            resets(Settings.bit(index));
        } else {
            assigns(Settings.bit(index));
        }
        return rest(value);
    }

    /** {@code RESET ALL}, {@code RESET name} and its special forms. */
    private Token reset() {
        Token token = in.next();
        if (token == Token.WORD && (in.is("role") || in.is("session"))) {
            return rest(in.next());
        }
        String name = name(token);
        int bits = 0;
        if (name != null) {
            bits = token == Token.WORD && name.equals("all")
                    ? Settings.ALL
                    : Settings.bit(name.equals("time") ? Settings.TIME_ZONE : Settings.index(name));
        }
        resets(bits);
        resetsSearchPath |= (bits & Settings.bit(Settings.SEARCH_PATH)) != 0;
        return rest(token);
    }

    private void resets(int settings) {
        resets |= settings;
        assigns &= ~settings;
    }

    private void assigns(int settings) {
        assigns |= settings;
        resets &= ~settings;
    }

    /** Setting {@code seed} starts the session's random numbers anew; what it was before nobody can ask, and the end of the transaction does not bring it back. */
    private void seeds(String option) {
        if (option.equalsIgnoreCase("seed")) {
            lasting();
        }
    }

    private void lasting() {
        pin(Pin.HIDDEN);
        lasting = true;
    }

    /** EXPLAIN ANALYZE makes the table that it explains. */
    private Token explain() {
        Token token = in.next();
        if (token == Token.OPEN) {
            int depth = 1;
            while (depth > 0 && token != Token.END && token != Token.SEMICOLON) {
                token = in.next();
                depth += token == Token.OPEN ? 1 : token == Token.OTHER && in.first() == ')' ? -1 : 0;
            }
            token = depth > 0 ? token : in.next();
        }
        while (token == Token.WORD && (in.is("analyze") || in.is("analyse") || in.is("verbose"))) {
            token = in.next();
        }
        return token == Token.WORD && in.is("create") ? create() : rest(token);
    }

    /** {@code INSERT INTO [schema.]table}: what the table's own columns draw comes before what the text asks. */
    private Token insert() {
        Token token = in.next();
        if (token != Token.WORD || !in.is("into")) {
            return rest(token);
        }
        token = in.next();
        while (token == Token.WORD || token == Token.QUOTED) {
            function();
            table = in.begin();
            tableLength = in.length();
            token = in.next();
            if (token != Token.OTHER || in.first() != '.') {
                break;
            }
            token = in.next();
        }
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
        return token == Token.WORD ? in.word() : token == Token.QUOTED && in.ends() ? in.name() : null;
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
        StatementText inner = new StatementText(new SqlTokens(code, 0, code.writerIndex(), in.plainBackslashes()));
        inner.code(depth);
        for (Pin pin : Pin.of(inner.pins)) {
            pin(pin);
        }
        customs.addAll(inner.customs);
        lasting |= inner.lasting;
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
        if (first != 'p' && first != 's' && first != 'c' && first != 'l' && first != 'd' && first != 'n') {
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
        } else {
            called(name);
        }
    }

    private void called(String name) {
        boolean asked = name.equals("lastval") || name.equals("currval");
        if (asked && in.ahead().next() != Token.OPEN) {
            return; // a column
        }
        switch (name) {
            case "set_config" -> {
                sets = true;
                setConfig(in.ahead());
            }
            case "set_limit" -> pin(Pin.SETTING); // of pg_trgm
            case "nextval" -> drawn = true;
            case "lastval" -> asks(false);
            case "currval" -> asks(table >= 0 && ofTable(in.ahead()));
            case "dblink_disconnect" -> pin(Pin.HIDDEN);
            case "dblink_connect", "dblink_connect_u", "setseed", "pg_replication_origin_session_setup" -> lasting();
            case "pg_backup_start", "pg_start_backup" -> lasting();
            // May be temporary.
            case "pg_create_logical_replication_slot", "pg_create_physical_replication_slot" -> lasting();
            case "pg_copy_logical_replication_slot", "pg_copy_physical_replication_slot" -> lasting();
            default -> {
                // leaves nothing that its name tells
            }
        }
    }

    /** What the session has drawn; {@code now}: in this very statement. */
    private void asks(boolean now) {
        pin(Pin.HIDDEN);
        asks |= draws && !drawn && !now; // what is kept for later, as in a view, is asked by nobody yet
    }

    /** True where a sequence is called by the name of the table that is inserted into, as those of its columns are. */
    private boolean ofTable(SqlTokens call) {
        Token token = call.next();
        while (token == Token.OPEN || token == Token.WORD || token == Token.OTHER && call.first() == '.') {
            token = call.next();
        }
        return token == Token.LITERAL
                && call.raw()
                        .toLowerCase(Locale.ROOT)
                        .contains(in.raw(table, tableLength).toLowerCase(Locale.ROOT));
    }

    /** {@code set_config(…)}: what is only the transaction's leaves nothing, and whose name is not a plain literal nobody can ask for. */
    private void setConfig(SqlTokens call) {
        OptionText.Call what = OptionText.setConfig(call);
        String option = what.option();
        seeds(option == null ? "" : option);
        if (option != null && what.local()) {
            return;
        }
        pin(Pin.SETTING);
        if (option != null) {
            named(option);
            assigns(Settings.bit(Settings.index(option)));
        } else {
            pin(Pin.HIDDEN);
        }
    }

    private void pin(Pin pin) {
        pins |= pin.bit();
        touch(Touch.SESSION);
    }
}
