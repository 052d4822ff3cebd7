package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Parse, Bind, Describe and Close of one client: its own names of statements become those that they have on servers, and what a server lacks is
 * prepared there first. Where a method answers false, the message must wait for an earlier batch.
 */
final class StatementMessages {
    private static final byte[] DEALLOCATE = "DEALLOCATE ".getBytes(StandardCharsets.US_ASCII);

    private final ClientSession session;
    private final ClientStatements statements;
    private final Passage passage;
    /** What was bound last drops prepared statements; null: none. */
    private ServerStatements.@Nullable Dropping drops;

    StatementMessages(ClientSession session, Passage passage) {
        this.session = session;
        this.statements = session.statements;
        this.passage = passage;
    }

    boolean parse(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int from = start + Message.HEADER;
        int end = start + total;
        int nameEnd = endOfString(bytes, from, end);
        if (nameEnd == from) {
            return parseUnnamed(bytes, start, total, holding);
        }
        String name = Message.text(bytes, from, nameEnd);
        ClientStatements.Entry before = statements.find(bytes, from, nameEnd);
        if (before != null && before.confirmed()) {
            return parseAgain(bytes, start, total, nameEnd, before.statement(), holding);
        }
        ClientStatements.Entry entry = statements.parse(name, bytes, nameEnd + 1, end);
        Prepared statement = entry.statement();
        if (!holding.statements.has(statement)) {
            switch (holding.expected.parsing(statement)) {
                case NO -> {
                    passage.end(bytes, holding);
                    ByteBuf out = session.loop.buffer();
                    holding.statements.makeRoom(out, statement);
                    if (out.isReadable()) {
                        holding.write(out);
                    } else {
                        out.release();
                    }
                    holding.answers.expect(Kind.PARSE, entry);
                    passage.rename(bytes, start, nameEnd, total, 'P', new byte[0], statement.name(), holding);
                    return true;
                }
                case EARLIER_BATCH -> {
                    statements.skipped(entry);
                    session.blocked();
                    return false;
                }
                case SAME_BATCH -> {
                    // will be there
                }
            }
        }
        passage.end(bytes, holding);
        bytes.skipBytes(total);
        holding.answers.expect(Kind.KNOWN_PARSE, entry);
        return true;
    }

    private boolean parseUnnamed(ByteBuf bytes, int start, int total, ServerConnection holding) {
        Object former = former();
        Prepared statement = statements.parseUnnamed(bytes, start + Message.HEADER + 1, start + total);
        ClientStatements.Entry deallocated = deallocated(statement);
        if (deallocated != null && !provide(bytes, deallocated.statement(), holding)) {
            statements.unnamedIs(former instanceof Prepared before ? before : null);
            return false;
        }
        session.pins.note(statement.effect, holding);
        holding.statements.unnamed = statement;
        holding.answers.expect(Kind.UNNAMED_PARSE, former);
        if (deallocated == null) {
            passage.pass(bytes, total, total);
            return true;
        }
        passage.end(bytes, holding);
        bytes.skipBytes(total);
        ByteBuf out = session.loop.buffer();
        int parse = Message.begin(out, 'P');
        out.writeByte(0)
                .writeBytes(DEALLOCATE)
                .writeBytes(deallocated.statement().name());
        out.writeByte(0).writeShort(0);
        Message.end(out, parse);
        holding.write(out);
        return true;
    }

    /** The client's statement that {@code statement} deallocates: the server knows it by another name. */
    private ClientStatements.@Nullable Entry deallocated(Prepared statement) {
        String name = statement.effect.deallocates();
        return name == null ? null : statements.named(name);
    }

    private ServerStatements.@Nullable Dropping dropping(Prepared statement) {
        if (statement.effect.drops()) {
            return ServerStatements.ALL;
        }
        ClientStatements.Entry one = deallocated(statement);
        return one == null ? null : new ServerStatements.Dropping.One(one);
    }

    /** A name that is taken: the server says so, in its words, about a statement that it has. */
    private boolean parseAgain(
            ByteBuf bytes, int start, int total, int nameEnd, Prepared statement, ServerConnection holding) {
        if (!provide(bytes, statement, holding)) {
            return false;
        }
        passage.end(bytes, holding);
        holding.answers.expect(Kind.PARSE, null);
        passage.rename(bytes, start, nameEnd, total, 'P', new byte[0], statement.name(), holding);
        return true;
    }

    /** Makes sure that the server has a named statement; false: that is not known before something else is answered. */
    private boolean provide(ByteBuf bytes, Prepared statement, ServerConnection holding) {
        if (!holding.statements.has(statement)) {
            switch (holding.expected.parsing(statement)) {
                case NO -> {
                    passage.end(bytes, holding);
                    holding.statements.prepare(statement, true);
                }
                case EARLIER_BATCH -> {
                    session.blocked();
                    return false;
                }
                case SAME_BATCH -> {
                    // will be there
                }
            }
        }
        return true;
    }

    private Object former() {
        Prepared unnamed = statements.unnamed();
        return unnamed == null ? ClientStatements.NO_UNNAMED : unnamed;
    }

    /** Makes sure that the server's unnamed statement is this client's, or that it has none; false: that is not known before something else is answered. */
    private boolean provideUnnamed(ByteBuf bytes, ServerConnection holding) {
        if (holding.expected.changingUnnamed() == Expectations.Parsing.EARLIER_BATCH) {
            session.blocked();
            return false;
        }
        Prepared unnamed = statements.unnamed();
        if (unnamed == null) {
            passage.end(bytes, holding);
            holding.statements.closeUnnamed();
        } else if (holding.statements.unnamed != unnamed) {
            passage.end(bytes, holding);
            holding.statements.prepare(unnamed, false);
        }
        return true;
    }

    /** What of the prepared statements an Execute at hand drops; null: none. */
    ServerStatements.@Nullable Dropping executesDrop() {
        ServerStatements.Dropping due = drops;
        drops = null;
        return due;
    }

    boolean bind(ByteBuf bytes, int start, int total, int readable, ServerConnection holding) {
        session.canary.passes(bytes, start, holding);
        int from = start + Message.HEADER;
        int end = start + Math.min(total, readable);
        int portalEnd = endOfString(bytes, from, end);
        int nameEnd = endOfString(bytes, portalEnd + 1, end);
        if (nameEnd == portalEnd + 1) {
            if (!provideUnnamed(bytes, holding)) {
                return false;
            }
            Prepared unnamed = statements.unnamed();
            if (unnamed != null) {
                session.pins.note(unnamed.effect, holding);
                drops = dropping(unnamed);
            }
            holding.answers.expect(Kind.BIND, null);
            passage.pass(bytes, total, readable);
            return true;
        }
        ClientStatements.Entry entry = statements.find(bytes, portalEnd + 1, nameEnd);
        if (entry == null) {
            holding.answers.expect(Kind.BIND, null);
            passage.pass(bytes, total, readable); // made by PREPARE, or not at all: the server knows
            return true;
        }
        Prepared statement = entry.statement();
        if (!provide(bytes, statement, holding)) {
            return false;
        }
        session.pins.note(statement.effect, holding);
        drops = statement.effect.drops() ? ServerStatements.ALL : null;
        passage.end(bytes, holding);
        holding.answers.expect(Kind.BIND, statement);
        byte[] portal = new byte[portalEnd + 1 - from];
        bytes.getBytes(from, portal);
        passage.rename(bytes, start, nameEnd, total, 'B', portal, statement.name(), holding);
        return true;
    }

    boolean describe(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int kind = bytes.getByte(start + Message.HEADER);
        int from = start + Message.HEADER + 1;
        int nameEnd = endOfString(bytes, from, start + total);
        if (kind == 'S') {
            if (nameEnd == from) {
                if (!provideUnnamed(bytes, holding)) {
                    return false;
                }
            } else {
                ClientStatements.Entry entry = statements.find(bytes, from, nameEnd);
                if (entry != null) {
                    if (!provide(bytes, entry.statement(), holding)) {
                        return false;
                    }
                    passage.end(bytes, holding);
                    holding.answers.expect(Kind.DESCRIBE, entry.statement());
                    passage.rename(
                            bytes,
                            start,
                            nameEnd,
                            total,
                            'D',
                            new byte[] {'S'},
                            entry.statement().name(),
                            holding);
                    return true;
                }
            }
        }
        holding.answers.expect(Kind.DESCRIBE, null);
        passage.pass(bytes, total, total);
        return true;
    }

    void close(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int kind = bytes.getByte(start + Message.HEADER);
        int from = start + Message.HEADER + 1;
        int nameEnd = endOfString(bytes, from, start + total);
        if (kind == 'S' && nameEnd > from) {
            ClientStatements.Entry entry = statements.close(Message.text(bytes, from, nameEnd));
            if (entry != null) {
                passage.end(bytes, holding);
                bytes.skipBytes(total);
                holding.answers.expect(Kind.KNOWN_CLOSE, entry);
                return;
            }
        }
        Object former = null;
        if (kind == 'S' && nameEnd == from) {
            former = former();
            statements.dropUnnamed();
            holding.statements.unnamed = null;
        }
        holding.answers.expect(Kind.CLOSE, former);
        passage.pass(bytes, total, total);
    }

    /** DEALLOCATE of a statement that the client made by the protocol: a matter between it and the proxy. */
    boolean deallocate(ByteBuf bytes, String name, int total, int readable) {
        ServerConnection holding = session.server();
        if (session.batches.underWay()) {
            session.blocked();
            return false;
        }
        int status = holding == null ? session.transaction.status() : holding.status;
        passage.drop(bytes, total, readable, holding);
        ByteBuf out = session.loop.buffer();
        if (status == 'E') {
            ErrorMessage.error(
                            "25P02", "current transaction is aborted, commands ignored until end of transaction block")
                    .write(out);
        } else {
            statements.close(name);
            Message.commandComplete(out, "DEALLOCATE");
        }
        Message.readyForQuery(out, status);
        session.deliver(out);
        return true;
    }

    private static int endOfString(ByteBuf bytes, int from, int limit) {
        int end = Message.endOfString(bytes, from, limit);
        if (end < 0) {
            throw new ProtocolViolation("invalid string in message");
        }
        return end;
    }
}
