package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Makes a new session know what clients' statements are about, before clients wait for it: the server plans them without running any. A process of
 * PostgreSQL's reads the catalogues of each table when it first meets it, which takes longer than most statements do.
 */
final class WarmUp {
    /** Since 16: plans a statement whose parameters nobody knows yet. */
    private static final byte[] PLAN = "EXPLAIN (GENERIC_PLAN) ".getBytes(StandardCharsets.US_ASCII);

    private static final int MOST_STATEMENTS = 24;
    private static final int LONGEST = 1 << 13;

    private WarmUp() {}

    /** {@code done} follows in any case; the session is as it was. Functions that planning evaluates may not write. */
    static void run(ServerConnection connection, Prepared.Catalogue statements, Runnable done) {
        List<Prepared> most = statements.most(MOST_STATEMENTS, LONGEST);
        if (most.isEmpty()) {
            done.run();
            return;
        }
        connection.exchange(new Exchange("SET default_transaction_read_only = on", _ -> {}));
        for (Prepared statement : most) {
            ByteBuf plan = plan(statement);
            connection.exchange(new Exchange(plan, new RowBag(), _ -> plan.release()));
        }
        Exchange last = new Exchange("RESET default_transaction_read_only", outcome -> {
            if (outcome.error() != null) {
                connection.close();
            }
            done.run();
        });
        connection.exchange(last, ServerConnection.OWN_LIMIT);
    }

    /** The highest {@code $n}. One in a literal would be one too many: then that statement is not planned. */
    private static int parameters(Prepared statement) {
        int most = 0;
        int length = statement.textLength();
        for (int i = 0; i < length; i++) {
            if (statement.body[i] == '$') {
                int number = 0;
                while (i + 1 < length && Character.isDigit(statement.body[i + 1]) && number < Short.MAX_VALUE / 10) {
                    i++;
                    number = 10 * number + statement.body[i] - '0';
                }
                most = Math.max(most, number);
            }
        }
        return most;
    }

    /** By the extended protocol, which takes one statement and no more. */
    private static ByteBuf plan(Prepared statement) {
        ByteBuf out = io.netty.buffer.Unpooled.buffer(statement.body.length + PLAN.length + 64);
        int parse = Message.begin(out, 'P');
        out.writeByte(0).writeBytes(PLAN).writeBytes(statement.body, 0, statement.textLength());
        out.writeByte(0).writeShort(0);
        Message.end(out, parse);
        int bind = Message.begin(out, 'B');
        int parameters = parameters(statement);
        out.writeByte(0).writeByte(0).writeShort(0).writeShort(parameters);
        for (int i = 0; i < parameters; i++) {
            out.writeInt(-1);
        }
        out.writeShort(0);
        Message.end(out, bind);
        int execute = Message.begin(out, 'E');
        out.writeByte(0).writeInt(0);
        Message.end(out, execute);
        Message.empty(out, 'S');
        return out;
    }
}
