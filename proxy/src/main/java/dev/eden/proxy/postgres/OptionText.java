package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.SqlTokens.Token;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which option a text sets, and for how long, where it says so in plain words. */
final class OptionText {
    /** What SET sets that is no option by its name. */
    private static final Set<String> SPECIAL =
            Set.of("role", "time", "names", "schema", "transaction", "constraints", "authorization", "characteristics");

    private OptionText() {}

    /**
     * @param option null: the text does not tell
     * @param local for the transaction
     */
    record Call(@Nullable String option, boolean local) {}

    /** {@code set_config(name, value, is_local)}, from its parenthesis. */
    static Call setConfig(SqlTokens call) {
        boolean called = call.next() == Token.OPEN && call.next() == Token.LITERAL;
        String option = called ? call.raw() : "";
        Token token = call.next();
        boolean plain = option.startsWith("'")
                && option.indexOf('\'', 1) == option.length() - 1
                && (call.plainBackslashes() || option.indexOf('\\') < 0)
                && comma(call, token);
        int argument = 0;
        int depth = 1;
        int words = 0;
        boolean local = false;
        for (; token != Token.END && token != Token.SEMICOLON; token = call.next()) {
            if (token == Token.OPEN) {
                depth++;
            } else if (token == Token.OTHER && call.first() == ')' && --depth == 0) {
                break;
            } else if (depth == 1 && comma(call, token)) {
                argument++;
                words = 0;
                local = false;
                continue;
            }
            words++;
            local = words == 1 && token == Token.WORD && call.is("true");
        }
        String name = plain ? option.substring(1, option.length() - 1) : null;
        return new Call(name, plain && argument == 2 && local && words == 1);
    }

    /** True where a SET says in plain words what it sets, or sets it for the transaction. */
    static boolean tells(SqlTokens set) {
        Token token = set.next();
        if (token == Token.WORD && set.is("local")) {
            return true;
        }
        if (token == Token.WORD && set.is("session")) {
            token = set.next();
        }
        if (token == Token.WORD && SPECIAL.contains(set.word())) {
            return true;
        }
        while (token == Token.WORD || token == Token.QUOTED) {
            token = set.next();
            if (token != Token.OTHER || set.first() != '.') {
                return token == Token.OTHER && set.first() == '=' || token == Token.WORD && set.is("to");
            }
            token = set.next();
        }
        return false;
    }

    /** True where code executes texts. */
    static boolean executes(SqlTokens code) {
        Token token = code.next();
        while (token != Token.END && !(token == Token.WORD && code.is("execute"))) {
            token = code.next();
        }
        return token != Token.END;
    }

    private static boolean comma(SqlTokens tokens, Token token) {
        return token == Token.OTHER && tokens.first() == ',';
    }
}
