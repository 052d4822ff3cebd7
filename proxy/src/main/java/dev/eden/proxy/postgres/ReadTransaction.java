package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.SqlTokens.Token;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * A transaction that only reads, at READ COMMITTED, of a client whose reads the standby may serve. There each statement looks at the data anew, so what the
 * transaction adds to a row of single reads is that the client knows itself in one: the proxy answers BEGIN, lets the {@link Canary} judge each
 * statement as if it stood alone, and answers COMMIT. The first statement that must run on the active side makes the transaction real there, with
 * the client's own BEGIN, and it stays there to its end. So it moves once at most, to where the data is never older.
 *
 * <pre>
 *   NONE ── BEGIN READ ONLY ──► OPEN ── COMMIT, ROLLBACK ──► NONE
 *                                 ├── anything that the standby does not serve: BEGIN on the active side ──► NONE (real)
 *                                 └── no connection to be had ──► FAILED ── COMMIT, ROLLBACK ──► NONE
 * </pre>
 */
final class ReadTransaction {
    private static final int LONGEST = 200;

    private enum State {
        NONE,
        OPEN,
        FAILED
    }

    /** What a text by itself is. */
    private enum Text {
        BEGIN,
        BEGIN_READ_ONLY,
        COMMIT,
        ROLLBACK,
        OTHER
    }

    private final ClientSession session;
    private final PostgresLoop loop;
    private State state = State.NONE;
    private String begin = "";
    private boolean levelNamed;

    ReadTransaction(ClientSession session) {
        this.session = session;
        this.loop = session.loop;
    }

    boolean open() {
        return state == State.OPEN;
    }

    /** True where COMMIT and ROLLBACK are all that is left to say. */
    boolean failed() {
        return state == State.FAILED;
    }

    /** As in ReadyForQuery, where no connection to a server tells. */
    int status() {
        return switch (state) {
            case NONE -> 'I';
            case OPEN -> 'T';
            case FAILED -> 'E';
        };
    }

    /** The client's own words, for the active side. */
    String begin() {
        return begin;
    }

    /** It runs on the active side now. */
    void real() {
        state = State.NONE;
        loop.counters.ineligible.merge("transaction_moved", 1L, Long::sum);
    }

    /** Its next statement could not be run at all. */
    void fail() {
        if (state == State.OPEN) {
            state = State.FAILED;
        }
    }

    /**
     * Answers the statement at {@code start} where it begins or ends such a transaction, up to the Sync of the extended protocol; the bytes answered, 0: it
     * is for a server.
     *
     * @param between nothing of this client's is under way, and it holds no connection
     */
    int answer(ByteBuf in, int start, boolean between) {
        if (!between || state == State.NONE && !session.canary.mayServeTransactions()) {
            return 0;
        }
        byte type = in.getByte(start);
        Statement statement = type == 'Q' || type == 'P' || type == 'B' ? at(in, start) : null;
        if (statement == null) {
            return state == State.FAILED ? refuse(in, start) : 0;
        }
        Text text = statement.text();
        String tag;
        switch (state) {
            case NONE -> {
                boolean readOnly = text == Text.BEGIN_READ_ONLY || text == Text.BEGIN && session.settings.readOnly();
                if (!readOnly || !levelNamed && !session.canary.readsCommittedByDefault()) {
                    return 0;
                }
                begin = statement.sql();
                state = State.OPEN;
                tag = "BEGIN";
                loop.counters.readTransactions++;
            }
            case OPEN -> {
                if (text != Text.COMMIT && text != Text.ROLLBACK) {
                    return 0;
                }
                state = State.NONE;
                tag = text.name();
            }
            case FAILED -> {
                if (text != Text.COMMIT && text != Text.ROLLBACK) {
                    return refuse(in, start);
                }
                state = State.NONE;
                tag = "ROLLBACK";
            }
            default -> throw new IllegalStateException();
        }
        ByteBuf out = loop.buffer();
        if (statement.parse()) {
            statement.remember(in, session.statements);
            Message.empty(out, '1');
        }
        if (statement.extended()) {
            Message.empty(out, '2');
        }
        Message.commandComplete(out, tag);
        if (!statement.extended()) {
            Message.readyForQuery(out, status());
        }
        session.deliver(out);
        return statement.length();
    }

    private int refuse(ByteBuf in, int start) {
        ByteBuf out = loop.buffer();
        ErrorMessage.error("25P02", "current transaction is aborted, commands ignored until end of transaction block")
                .write(out);
        byte type = in.getByte(start);
        boolean simple = type == 'Q' || type == 'F';
        int total = in.getInt(start + 1) + 1;
        if (simple && in.writerIndex() - start < total) {
            out.release();
            throw new ProtocolViolation("a statement of " + total + " bytes in a transaction that has failed");
        }
        if (simple) {
            Message.readyForQuery(out, status());
        } else {
            session.messages.discardBatch();
        }
        session.deliver(out);
        return simple ? total : 0;
    }

    // ---- what the client says

    /** @param nameFrom of a Parse, with {@code nameTo}; -1: there is none */
    private record Statement(
            int length, boolean extended, int nameFrom, int nameTo, int parseTo, Text text, String sql) {
        boolean parse() {
            return nameFrom >= 0;
        }

        void remember(ByteBuf in, ClientStatements statements) {
            if (nameFrom == nameTo) {
                statements.parseUnnamed(in, nameTo + 1, parseTo);
            } else {
                statements
                        .parse(Message.text(in, nameFrom, nameTo), in, nameTo + 1, parseTo)
                        .confirm();
            }
        }
    }

    /** A simple query, or Parse (or not), Bind and Execute with more behind them; null: neither, or not all there. */
    private @Nullable Statement at(ByteBuf in, int start) {
        int limit = in.writerIndex();
        int total = total(in, start, limit);
        if (total == 0) {
            return null;
        }
        if (in.getByte(start) == 'Q') {
            Text text = text(in, start + Message.HEADER, start + total);
            return text == Text.OTHER
                    ? null
                    : new Statement(
                            total,
                            false,
                            -1,
                            -1,
                            -1,
                            text,
                            Message.text(in, start + Message.HEADER, start + total - 1));
        }
        int at = start;
        int nameFrom = -1;
        int nameTo = -1;
        int parseTo = -1;
        ByteBuf words = null;
        int from = 0;
        int to = 0;
        if (in.getByte(at) == 'P') {
            nameFrom = at + Message.HEADER;
            nameTo = Message.endOfString(in, nameFrom, at + total);
            parseTo = at + total;
            if (nameTo < 0 || nameTo > nameFrom && session.statements.find(in, nameFrom, nameTo) != null) {
                return null;
            }
            words = in;
            from = nameTo + 1;
            to = parseTo;
            at += total;
            total = total(in, at, limit);
        }
        if (total == 0 || in.getByte(at) != 'B' || in.getByte(at + Message.HEADER) != 0) {
            return null;
        }
        int bound = at + Message.HEADER + 1;
        int boundTo = Message.endOfString(in, bound, at + total);
        if (boundTo < 0) {
            return null;
        }
        if (words == null) {
            ClientStatements.Entry entry = boundTo == bound ? null : session.statements.find(in, bound, boundTo);
            Prepared prepared = boundTo == bound
                    ? session.statements.unnamed()
                    : entry != null && entry.confirmed() ? entry.statement() : null;
            if (prepared == null) {
                return null;
            }
            words = Unpooled.wrappedBuffer(prepared.body);
            to = prepared.body.length;
        } else if (!in.slice(bound, boundTo - bound).equals(in.slice(nameFrom, nameTo - nameFrom))) {
            return null;
        }
        at += total;
        total = total(in, at, limit);
        boolean execute = total == Message.HEADER + 5 && in.getByte(at) == 'E' && in.getByte(at + Message.HEADER) == 0;
        if (!execute || at + total >= limit) {
            return null;
        }
        Text text = text(words, from, to);
        int end = Message.endOfString(words, from, to);
        return text == Text.OTHER || end < 0
                ? null
                : new Statement(
                        at + total - start, true, nameFrom, nameTo, parseTo, text, Message.text(words, from, end));
    }

    private static int total(ByteBuf in, int at, int limit) {
        if (limit - at < Message.HEADER) {
            return 0;
        }
        int total = in.getInt(at + 1) + 1;
        return total < Message.HEADER || total > LONGEST || total > limit - at ? 0 : total;
    }

    private Text text(ByteBuf in, int from, int limit) {
        SqlTokens tokens = new SqlTokens(in, from, limit);
        if (tokens.next() != Token.WORD || tokens.length() > LONGEST) {
            return Text.OTHER;
        }
        String first = tokens.word();
        Token next = tokens.next();
        switch (first) {
            case "begin", "start" -> {
                boolean transaction =
                        next == Token.WORD && (tokens.is("transaction") || first.equals("begin") && tokens.is("work"));
                if (first.equals("start") && !transaction) {
                    return Text.OTHER;
                }
                return modes(tokens, transaction ? tokens.next() : next);
            }
            case "commit", "end", "rollback", "abort" -> {
                if (next == Token.WORD && (tokens.is("transaction") || tokens.is("work"))) {
                    next = tokens.next();
                }
                boolean commits = first.equals("commit") || first.equals("end");
                return !over(tokens, next) ? Text.OTHER : commits ? Text.COMMIT : Text.ROLLBACK;
            }
            default -> {
                return Text.OTHER;
            }
        }
    }

    /** READ ONLY and ISOLATION LEVEL READ COMMITTED in any order, with commas or without. */
    private Text modes(SqlTokens tokens, Token first) {
        Token token = first;
        boolean readOnly = false;
        levelNamed = false;
        while (!ended(token)) {
            if (token == Token.OTHER && tokens.first() == ',') {
                token = tokens.next();
                continue;
            }
            if (token != Token.WORD) {
                return Text.OTHER;
            }
            if (tokens.is("isolation")) {
                if (!follows(tokens, "level") || !follows(tokens, "read") || !follows(tokens, "committed")) {
                    return Text.OTHER;
                }
                levelNamed = true;
            } else if (tokens.is("read") && follows(tokens, "only")) {
                readOnly = true;
            } else {
                return Text.OTHER;
            }
            token = tokens.next();
        }
        return !over(tokens, token) ? Text.OTHER : readOnly ? Text.BEGIN_READ_ONLY : Text.BEGIN;
    }

    private static boolean follows(SqlTokens tokens, String word) {
        return tokens.next() == Token.WORD && tokens.is(word);
    }

    private static boolean ended(Token token) {
        return token == Token.END || token == Token.SEMICOLON;
    }

    private static boolean over(SqlTokens tokens, Token token) {
        return token == Token.END || token == Token.SEMICOLON && tokens.next() == Token.END;
    }
}
