package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks through the text of a query for what it leaves behind in the session: a tokenizer that knows comments, literals, quoted names and
 * dollar quotes (PostgreSQL manual, "Lexical Structure") and judges by first words and by names of functions. Where it cannot tell it says so: a
 * pin too many costs a probe, a pin too few would show one client's state to another. What functions of the user do inside is invisible here.
 */
final class StatementText {
    /** A word longer than this is no keyword. */
    private static final int LONGEST = 40;

    private static final Set<String> HIDDEN =
            Set.of("currval", "lastval", "setseed", "dblink_connect", "dblink_connect_u", "dblink_disconnect");

    /** What a text leaves behind. */
    record Effect(int pins, boolean resets, @Nullable String deallocates, boolean onlySearchPath) {
        static final Effect NONE = new Effect(0, false, null, false);

        /** A text that nobody has looked through to its end. */
        static final Effect UNKNOWN = new Effect(Pin.UNKNOWN.bit(), false, null, false);
    }

    private final ByteBuf in;
    private final int limit;
    private int at;
    private int wordFrom;
    private int wordTo;
    private boolean escapes;

    private int pins;
    private boolean searchPath;
    private boolean resets;
    private @Nullable String deallocates;
    private int statements;

    private StatementText(ByteBuf in, int from, int limit) {
        this.in = in;
        this.at = from;
        this.limit = limit;
    }

    /** The text from {@code from} to its zero or {@code limit}. */
    static Effect classify(ByteBuf in, int from, int limit) {
        int end = Message.endOfString(in, from, limit);
        StatementText text = new StatementText(in, from, end < 0 ? limit : end);
        text.run();
        if (text.pins == 0 && !text.resets && text.deallocates == null) {
            return Effect.NONE;
        }
        return new Effect(
                text.pins,
                text.resets,
                text.statements == 1 ? text.deallocates : null,
                text.searchPath && text.statements == 1);
    }

    private enum Token {
        WORD,
        QUOTED,
        LITERAL,
        OPEN,
        SEMICOLON,
        OTHER,
        END
    }

    private void run() {
        Token token = next();
        while (token != Token.END) {
            if (token == Token.SEMICOLON) {
                token = next();
                continue;
            }
            statements++;
            token = statement(token);
        }
    }

    private Token statement(Token first) {
        if (first == Token.WORD) {
            switch (word()) {
                case "set" -> {
                    return set();
                }
                case "reset" -> {
                    resets = true;
                    Token token = next();
                    if (token == Token.WORD && (is("role") || is("session"))) {
                        return rest(next());
                    }
                    return rest(token);
                }
                case "listen" -> pin(Pin.LISTEN);
                case "prepare" -> {
                    Token token = next();
                    if (token != Token.WORD || !is("transaction")) {
                        pin(Pin.PREPARE);
                    }
                    return rest(token);
                }
                case "deallocate" -> {
                    return deallocate();
                }
                case "discard" -> {
                    Token token = next();
                    if (token == Token.WORD && is("all")) {
                        resets = true;
                    }
                    return rest(token);
                }
                case "declare" -> {
                    return declare();
                }
                case "create" -> {
                    return create();
                }
                case "do", "call", "load" -> pin(Pin.UNKNOWN);
                default -> {
                    // judged by what it calls
                }
            }
        }
        return rest(next());
    }

    /** {@code SET [SESSION | LOCAL] name {TO | =} …} and its special forms. */
    private Token set() {
        Token token = next();
        if (token == Token.WORD && is("session")) {
            token = next();
            if (token == Token.WORD && is("authorization")) {
                pin(Pin.ROLE);
                return rest(next());
            }
            if (token == Token.WORD && is("characteristics")) {
                pin(Pin.SETTING);
                return rest(next());
            }
        }
        if (token != Token.WORD) {
            pin(token == Token.QUOTED ? Pin.SETTING : Pin.UNKNOWN);
            return rest(token);
        }
        switch (word()) {
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
                int index = Settings.index(word());
                if (index < 0 || index == Settings.SEARCH_PATH) {
                    pin(Pin.SETTING);
                    searchPath = index == Settings.SEARCH_PATH;
                }
            }
        }
        return rest(next());
    }

    private Token deallocate() {
        Token token = next();
        if (token == Token.WORD && is("prepare")) {
            token = next();
        }
        if (token == Token.WORD && is("all")) {
            deallocates = null;
        } else if (token == Token.WORD) {
            deallocates = word();
        } else if (token == Token.QUOTED) {
            deallocates = Message.text(in, wordFrom, wordTo).replace("\"\"", "\"");
        }
        return rest(next());
    }

    private Token declare() {
        boolean with = false;
        for (Token token = next(); ; token = next()) {
            if (token == Token.END || token == Token.SEMICOLON) {
                return token;
            }
            if (token == Token.WORD) {
                if (with && is("hold")) {
                    pin(Pin.CURSOR);
                }
                with = is("with");
                function();
            }
        }
    }

    private Token create() {
        Token token = next();
        for (int i = 0; i < 4 && token == Token.WORD; i++) {
            if (is("temp") || is("temporary")) {
                pin(Pin.TEMPORARY);
                break;
            }
            if (!is("or") && !is("replace") && !is("local") && !is("global") && !is("recursive")) {
                break;
            }
            token = next();
        }
        return rest(token);
    }

    /** To the end of the statement, looking for functions and for {@code INTO TEMP}. */
    private Token rest(Token from) {
        Token token = from;
        boolean into = false;
        while (token != Token.END && token != Token.SEMICOLON) {
            if (token == Token.WORD) {
                int length = wordTo - wordFrom;
                if (into && (is("temp") || is("temporary") || is("local") || is("global"))) {
                    pin(Pin.TEMPORARY);
                }
                into = length == 4 && is("into");
                if (length >= 7) {
                    function();
                }
            } else if (token == Token.QUOTED) {
                function();
            }
            token = next();
        }
        return token;
    }

    /** The word at hand, if it is the name of something that leaves state behind. */
    private void function() {
        int first = in.getByte(wordFrom) | 0x20;
        if (first != 'p' && first != 's' && first != 'c' && first != 'l' && first != 'd') {
            return;
        }
        if (wordTo - wordFrom > LONGEST) {
            return;
        }
        String name = word();
        if (name.startsWith("pg_temp")) {
            pin(Pin.TEMPORARY);
        } else if (name.startsWith("pg_advisory_lock") || name.startsWith("pg_try_advisory_lock")) {
            pin(Pin.ADVISORY_LOCK);
        } else if (name.equals("set_config")) {
            pin(Pin.SETTING);
        } else if (HIDDEN.contains(name)) {
            pin(Pin.HIDDEN);
        }
    }

    private void pin(Pin pin) {
        pins |= pin.bit();
    }

    private boolean is(String keyword) {
        if (wordTo - wordFrom != keyword.length()) {
            return false;
        }
        for (int i = 0; i < keyword.length(); i++) {
            int c = in.getByte(wordFrom + i);
            if (c != keyword.charAt(i) && lower(c) != keyword.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int lower(int c) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }

    private String word() {
        int length = Math.min(wordTo - wordFrom, 63);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) lower(in.getByte(wordFrom + i));
        }
        return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }

    private Token next() {
        while (at < limit) {
            int c = in.getByte(at);
            if (c == ' ' || (c >= '\t' && c <= '\r')) {
                at++;
            } else if (c == '-' && peek(1) == '-') {
                while (at < limit && in.getByte(at) != '\n' && in.getByte(at) != '\r') {
                    at++;
                }
            } else if (c == '/' && peek(1) == '*') {
                comment();
            } else {
                return token(c);
            }
        }
        return Token.END;
    }

    private Token token(int c) {
        if (wordStart(c)) {
            wordFrom = at;
            do {
                at++;
            } while (at < limit && wordPart(in.getByte(at)));
            wordTo = at;
            if (wordTo - wordFrom == 1 && peek(0) == '\'') {
                escapes = (c | 0x20) == 'e';
                literal();
                return Token.LITERAL;
            }
            return Token.WORD;
        }
        if (c == '\'') {
            escapes = false;
            literal();
            return Token.LITERAL;
        }
        if (c == '"') {
            quoted();
            return Token.QUOTED;
        }
        if (c == '$') {
            return dollar();
        }
        if (c >= '0' && c <= '9') {
            do {
                at++;
            } while (at < limit && (wordPart(in.getByte(at)) || in.getByte(at) == '.'));
            return Token.OTHER;
        }
        at++;
        return c == ';' ? Token.SEMICOLON : c == '(' ? Token.OPEN : Token.OTHER;
    }

    private int peek(int ahead) {
        return at + ahead < limit ? in.getByte(at + ahead) : 0;
    }

    private static boolean wordStart(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c < 0;
    }

    private static boolean wordPart(int c) {
        return wordStart(c) || (c >= '0' && c <= '9') || c == '$';
    }

    private void comment() {
        int depth = 0;
        while (at < limit) {
            int c = in.getByte(at);
            if (c == '/' && peek(1) == '*') {
                depth++;
                at += 2;
            } else if (c == '*' && peek(1) == '/') {
                depth--;
                at += 2;
                if (depth == 0) {
                    return;
                }
            } else {
                at++;
            }
        }
    }

    private void literal() {
        at++;
        while (at < limit) {
            int c = in.getByte(at++);
            if (c == '\\' && escapes) {
                at++;
            } else if (c == '\'') {
                if (peek(0) != '\'') {
                    return;
                }
                at++;
            }
        }
    }

    private void quoted() {
        at++;
        wordFrom = at;
        while (at < limit) {
            if (in.getByte(at) == '"') {
                if (peek(1) != '"') {
                    break;
                }
                at++;
            }
            at++;
        }
        wordTo = Math.min(at, limit);
        at++;
    }

    /** A dollar-quoted literal, or a parameter. */
    private Token dollar() {
        int tag = at + 1;
        while (tag < limit && wordPart(in.getByte(tag)) && in.getByte(tag) != '$') {
            tag++;
        }
        boolean digit = at + 1 < limit && in.getByte(at + 1) >= '0' && in.getByte(at + 1) <= '9';
        if (tag >= limit || in.getByte(tag) != '$' || digit) {
            at = Math.max(at + 1, tag);
            return Token.OTHER;
        }
        int length = tag + 1 - at;
        int start = at;
        at = tag + 1;
        while (at + length <= limit) {
            int i = 0;
            while (i < length && in.getByte(at + i) == in.getByte(start + i)) {
                i++;
            }
            if (i == length) {
                at += length;
                return Token.LITERAL;
            }
            at++;
        }
        at = limit;
        return Token.LITERAL;
    }
}
