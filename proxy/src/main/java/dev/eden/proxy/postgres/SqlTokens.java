package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** The tokens of a query's text: comments, literals, quoted names and dollar quotes as PostgreSQL reads them (manual, "Lexical Structure"). */
final class SqlTokens {
    enum Token {
        WORD,
        QUOTED,
        LITERAL,
        OPEN,
        SEMICOLON,
        OTHER,
        END
    }

    private final ByteBuf in;
    private final int limit;
    /** {@code standard_conforming_strings}: backslashes in plain literals are backslashes. */
    private final boolean plainBackslashes;

    private int at;
    private int from;
    private int to;
    private boolean escapes;

    /** The text from {@code from} to its zero or {@code limit}. */
    SqlTokens(ByteBuf in, int from, int limit) {
        this(in, from, limit, true);
    }

    SqlTokens(ByteBuf in, int from, int limit, boolean plainBackslashes) {
        int end = Message.endOfString(in, from, limit);
        this.in = in;
        this.plainBackslashes = plainBackslashes;
        this.at = from;
        this.limit = end < 0 ? limit : end;
    }

    private SqlTokens(SqlTokens other) {
        this.in = other.in;
        this.plainBackslashes = other.plainBackslashes;
        this.at = other.at;
        this.limit = other.limit;
    }

    /** What follows, to be looked at without going there. */
    SqlTokens ahead() {
        return new SqlTokens(this);
    }

    /** Length in bytes of the word, name or literal at hand. */
    int length() {
        return to - from;
    }

    /** Where the word or name at hand begins, without its quote. */
    int begin() {
        return from;
    }

    /** The first byte of the word, name, literal or other token at hand; 0 where a quote is the last of the text. */
    int first() {
        return from < limit ? in.getByte(from) : 0;
    }

    /** The byte at {@code index} of the word, name, literal or other token at hand. */
    int byteAt(int index) {
        return in.getByte(from + index);
    }

    /** What is between the quotes of a name, or a literal with its quotes, as it is written. */
    String raw() {
        return in.toString(from, to - from, StandardCharsets.UTF_8);
    }

    /** What is written there. */
    String raw(int begin, int length) {
        return in.toString(begin, length, StandardCharsets.UTF_8);
    }

    boolean plainBackslashes() {
        return plainBackslashes;
    }

    /** False: the name at hand lacks the quote at its end, so the server will have none of it. */
    boolean ends() {
        return to < limit;
    }

    /** A quoted name without its quotes. */
    String name() {
        return raw().replace("\"\"", "\"");
    }

    /** What the literal or quoted name at hand says, to be looked through as a text itself. */
    ByteBuf content() {
        String raw = in.toString(from, to - from, StandardCharsets.ISO_8859_1); // bytes as they are
        if (raw.startsWith("$")) {
            String tag = raw.substring(0, raw.indexOf('$', 1) + 1);
            boolean ends = raw.length() >= 2 * tag.length() && raw.endsWith(tag);
            return bytes(raw.substring(tag.length(), ends ? raw.length() - tag.length() : raw.length()));
        }
        int quote = raw.indexOf('\'');
        if (quote != 0 && quote != 1) {
            return bytes(raw); // a name
        }
        boolean ends = raw.length() > quote + 1 && raw.endsWith("'");
        String inner =
                raw.substring(quote + 1, ends ? raw.length() - 1 : raw.length()).replace("''", "'");
        return bytes(escapes(quote == 0 ? '\'' : raw.charAt(0)) ? unescaped(inner) : inner);
    }

    /** True where backslashes escape in a literal that begins with {@code first}. */
    private boolean escapes(int first) {
        return switch (first) {
            case 'e', 'E' -> true;
            case '\'', 'n', 'N' -> !plainBackslashes;
            default -> false;
        };
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String unescaped(String text) {
        StringBuilder plain = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                i++;
                c = text.charAt(i);
                c = "nrtbf".indexOf(c) >= 0 ? ' ' : c;
            }
            plain.append(c);
        }
        return plain.toString();
    }

    boolean is(String keyword) {
        if (to - from != keyword.length()) {
            return false;
        }
        for (int i = 0; i < keyword.length(); i++) {
            int c = in.getByte(from + i);
            if (c != keyword.charAt(i) && lower(c) != keyword.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int lower(int c) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }

    /** The word at hand in lower case, cut as the server cuts names. */
    String word() {
        int length = Math.min(to - from, 63);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) lower(in.getByte(from + i));
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    Token next() {
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
        from = at;
        Token token = tokenAt(c);
        if (token != Token.WORD && token != Token.QUOTED) {
            to = at;
        }
        return token;
    }

    private Token tokenAt(int c) {
        if (wordStart(c)) {
            do {
                at++;
            } while (at < limit && wordPart(in.getByte(at)));
            to = at;
            if (to - from == 1 && peek(0) == '\'') {
                escapes = escapes(c);
                literal();
                return Token.LITERAL;
            }
            return Token.WORD;
        }
        if (c == '\'') {
            escapes = escapes(c);
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
        at = Math.min(at, limit); // a backslash may be the last of the text
    }

    private void quoted() {
        at++;
        from = at;
        while (at < limit) {
            if (in.getByte(at) == '"') {
                if (peek(1) != '"') {
                    break;
                }
                at++;
            }
            at++;
        }
        to = Math.min(at, limit);
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
