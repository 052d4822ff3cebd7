package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Makes a session know what clients' statements are about, before clients wait for it: the server plans them without running any, and keeps those
 * that clients have prepared. A process of PostgreSQL's reads the catalogues of each table when it first meets it, which takes longer than most
 * statements do.
 */
final class WarmUp {
    /** Since 16: plans a statement whose parameters nobody knows yet. Before, it is bound to NULLs, which shows the server less of its tables. */
    private static final byte[] PLAN = "EXPLAIN (GENERIC_PLAN) ".getBytes(StandardCharsets.US_ASCII);

    private static final int PLAN_SINCE = 16;

    private static final int MOST_STATEMENTS = 24;
    private static final int LONGEST = 1 << 13;

    private WarmUp() {}

    /** {@code done} follows in any case; but for statements, the session is as it was. Functions that planning evaluates may not write. */
    static void run(ServerConnection connection, Prepared.Catalogue statements, Runnable done) {
        List<Prepared> most = statements.most(MOST_STATEMENTS, LONGEST);
        if (most.isEmpty()) {
            done.run();
            return;
        }
        connection.exchange(new Exchange("SET default_transaction_read_only = on", _ -> {}));
        boolean explains = major(connection) >= PLAN_SINCE;
        for (Prepared statement : most) {
            ByteBuf plan = plan(statement, explains);
            connection.exchange(new Exchange(plan, new RowBag(), _ -> plan.release()));
            if (!connection.statements.has(statement) && connection.statements.roomFor(most.size())) {
                prepare(connection, statement);
            }
        }
        connection.exchange(new Exchange("RESET default_transaction_read_only", outcome -> {
            if (outcome.error() != null) {
                connection.close();
            }
            done.run();
        }));
    }

    private static int major(ServerConnection connection) {
        String version = connection.reported.getOrDefault("server_version", "");
        int digits = 0;
        while (digits < version.length() && Character.isDigit(version.charAt(digits))) {
            digits++;
        }
        return digits == 0 || digits > 3 ? 0 : Integer.parseInt(version.substring(0, digits));
    }

    /** What does not work here, such as a statement on a temporary table, is left to its client. */
    private static void prepare(ServerConnection connection, Prepared statement) {
        int generation = statement.generation();
        ByteBuf parse = io.netty.buffer.Unpooled.buffer(statement.body.length + 64);
        statement.parse(parse, true);
        Message.empty(parse, 'S');
        connection.exchange(new Exchange(parse, new RowBag(), outcome -> {
            parse.release();
            if (outcome.error() == null && statement.generation() == generation) {
                connection.statements.parsed(ClientStatements.Entry.own(statement));
            }
        }));
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

    /** By the extended protocol, which takes one statement and no more; as no statement that is kept, whose later plans this one would count among. */
    private static ByteBuf plan(Prepared statement, boolean explains) {
        ByteBuf out = io.netty.buffer.Unpooled.buffer(statement.body.length + PLAN.length + 64);
        if (explains) {
            int parse = Message.begin(out, 'P');
            out.writeByte(0).writeBytes(PLAN).writeBytes(statement.body, 0, statement.textLength());
            out.writeByte(0).writeShort(0);
            Message.end(out, parse);
        } else {
            statement.parse(out, false);
        }
        int bind = Message.begin(out, 'B');
        int parameters = parameters(statement);
        out.writeByte(0).writeByte(0).writeShort(0).writeShort(parameters);
        for (int i = 0; i < parameters; i++) {
            out.writeInt(-1);
        }
        out.writeShort(0);
        Message.end(out, bind);
        if (explains) {
            int execute = Message.begin(out, 'E');
            out.writeByte(0).writeInt(0);
            Message.end(out, execute);
        }
        Message.empty(out, 'S');
        return out;
    }
}
