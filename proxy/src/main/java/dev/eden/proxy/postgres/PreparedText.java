package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.SqlTokens.Token;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The one PREPARE that a statement comes from. A server keeps the whole text of the query in which it stood, with all that the client asked in front of
 * it and behind it: that has run, and must not run again.
 */
final class PreparedText {
    /** As servers cut names. */
    private static final int LONGEST_NAME = 63;

    private PreparedText() {}

    /** Null where the text does not tell. {@code plainBackslashes}: in a literal without E a backslash is itself. */
    static @Nullable String of(String name, String text, boolean plainBackslashes) {
        if (!plainBackslashes && text.indexOf('\\') >= 0) {
            return null; // where its literals end is not known
        }
        ByteBuf bytes = Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8));
        SqlTokens tokens = new SqlTokens(bytes, 0, bytes.writerIndex());
        String found = null;
        int from = 0;
        for (Token token = Token.SEMICOLON; token != Token.END; ) {
            token = tokens.next();
            boolean named = token == Token.WORD && tokens.is("prepare") && name.equals(name(tokens));
            while (token != Token.SEMICOLON && token != Token.END) {
                token = tokens.next();
            }
            int to = token == Token.END ? bytes.writerIndex() : tokens.begin();
            if (named) {
                if (found != null) {
                    return null; // one of them has been dropped, or has failed
                }
                found = bytes.toString(from, to - from, StandardCharsets.UTF_8);
            }
            from = to + 1;
        }
        return found;
    }

    private static @Nullable String name(SqlTokens tokens) {
        Token token = tokens.next();
        if (token == Token.WORD) {
            return tokens.word();
        }
        return token == Token.QUOTED && tokens.length() <= LONGEST_NAME ? tokens.name() : null;
    }
}
