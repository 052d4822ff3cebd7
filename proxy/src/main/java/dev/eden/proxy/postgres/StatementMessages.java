package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Parse, Bind, Describe and Close of one client: its own names of statements become those that they have on servers, and what a server lacks is
 * prepared there first. Where a method answers false, the message must wait for an earlier batch.
 */
final class StatementMessages {
    private static final byte[] NOTHING = {};
    private static final byte[] STATEMENT = {'S'};
    private static final byte[] NO_NAME = {0};

    private final ClientSession session;
    private final ClientStatements statements;
    private final Passage passage;
    /** What was bound last drops prepared statements; null: none. */
    private ServerStatements.@Nullable Dropping drops;
    /** The client's statement that was bound last, and to which portal; null: another one. */
    private ClientStatements.@Nullable Entry bound;

    private @Nullable Variant boundAs;
    private byte[] portal = {};
    /** What the query at hand executes is being prepared, with an end of its own. */
    private boolean preparing;
    /** The server could not prepare what the query at hand executes, and the client has been told why. */
    private boolean refused;
    /** What the Bind at hand is about is another statement than the client was told, and is prepared anew: the table may be as it was; null: none. */
    private @Nullable Variant askedAnew;

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
        if (before != null) {
            switch (before.confirmed() ? Expectations.Parsing.SAME_BATCH : holding.expected.parsing(before)) {
                case SAME_BATCH -> {
                    return parseAgain(bytes, start, total, nameEnd, before, holding);
                }
                case EARLIER_BATCH -> {
                    session.blocked();
                    return false;
                }
                case NO -> {
                    // it was skipped
                }
            }
        }
        ErrorMessage refusal = statements.refusal(end - nameEnd - 1);
        if (refusal != null) {
            refuse(bytes, total, total, refusal, holding);
            return true;
        }
        ClientStatements.Entry entry = statements.parse(name, bytes, nameEnd + 1, end);
        Variant variant = holding.statements.toParse(entry);
        entry.parsedAs(variant);
        switch (holding.expected.parsing(variant)) {
            case NO -> {
                // Also where the server has it: of tables as they were then, and who prepares it now must get them as
                // they are.
                passage.end(bytes, holding);
                ByteBuf out = session.loop.buffer();
                holding.statements.makeRoom(out, variant);
                if (out.isReadable()) {
                    holding.write(out);
                } else {
                    out.release();
                }
                holding.answers.expect(Kind.PARSE, entry);
                passage.rename(bytes, start, nameEnd, total, 'P', NOTHING, variant.name(), holding);
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
        passage.end(bytes, holding);
        bytes.skipBytes(total);
        holding.answers.expect(Kind.KNOWN_PARSE, entry);
        return true;
    }

    /** The server is given what it refuses: so the error comes when its turn does, and ends what a server's own would. The client is told why in other words. */
    private void refuse(ByteBuf bytes, int total, int readable, ErrorMessage why, ServerConnection holding) {
        passage.drop(bytes, total, readable, holding);
        ByteBuf out = session.loop.buffer();
        int parse = Message.begin(out, 'P');
        Message.string(out, "eden_refused");
        Message.string(out, "eden: refused to a client, in other words");
        out.writeShort(0);
        Message.end(out, parse);
        holding.answers.expect(Kind.PARSE, why);
        holding.write(out);
    }

    private boolean parseUnnamed(ByteBuf bytes, int start, int total, ServerConnection holding) {
        Object former = former();
        Prepared statement = statements.parseUnnamed(bytes, start + Message.HEADER + 1, start + total);
        ErrorMessage refusal = session.pins.refusal(effect(statement));
        if (refusal != null) {
            statements.unnamedIs(former instanceof Prepared before ? before : null);
            refuse(bytes, total, total, refusal, holding);
            return true;
        }
        ClientStatements.Entry named = named(effect(statement));
        Variant variant = named == null ? null : provide(bytes, named, holding);
        if (named != null && variant == null) {
            statements.unnamedIs(former instanceof Prepared before ? before : null);
            return false;
        }
        session.pins.note(effect(statement), holding);
        holding.statements.unnamed = variant == null ? statement : null;
        holding.answers.expect(Kind.UNNAMED_PARSE, former);
        if (variant == null) {
            passage.pass(bytes, total, total);
            return true;
        }
        passage.end(bytes, holding);
        bytes.skipBytes(total);
        holding.write(parseOf(statement, variant));
        return true;
    }

    private StatementText.Effect effect(Prepared statement) {
        return statement.effect(session.settings.plainBackslashes());
    }

    /** An unnamed Parse of a text with the server's name of what it executes or deallocates. */
    private ByteBuf parseOf(Prepared statement, Variant named) {
        ByteBuf out = session.loop.buffer();
        int parse = Message.begin(out, 'P');
        out.writeByte(0);
        byte[] body = statement.body;
        StatementText.renamed(Unpooled.wrappedBuffer(body), 0, body.length, named.name(), out);
        Message.end(out, parse);
        return out;
    }

    /** The client's statement that a text executes or deallocates by SQL: the server knows it by another name. */
    private ClientStatements.@Nullable Entry named(StatementText.Effect effect) {
        ClientStatements.Entry executed = executed(effect);
        String name = effect.deallocates();
        return name == null ? executed : statements.named(name);
    }

    private ClientStatements.@Nullable Entry executed(StatementText.Effect effect) {
        String name = effect.executes();
        ClientStatements.Entry entry = name == null ? null : statements.named(name);
        StatementText.Effect inner = entry == null ? StatementText.Effect.NONE : effect(entry.statement());
        boolean plain = !inner.drops() && inner.deallocates() == null && inner.executes() == null;
        return plain ? entry : null;
    }

    private ServerStatements.@Nullable Dropping dropping(Prepared statement, ServerConnection holding) {
        if (effect(statement).drops()) {
            return ServerStatements.ALL;
        }
        ClientStatements.Entry one = effect(statement).deallocates() == null ? null : named(effect(statement));
        return one == null ? null : new ServerStatements.Dropping.One(one, holding.statements.of(one));
    }

    /** A name that is taken: the server says so, in its words, about a statement that it has. */
    private boolean parseAgain(
            ByteBuf bytes, int start, int total, int nameEnd, ClientStatements.Entry entry, ServerConnection holding) {
        Variant variant = provide(bytes, entry, holding);
        if (variant == null) {
            return false;
        }
        passage.end(bytes, holding);
        holding.answers.expect(Kind.PARSE, null);
        passage.rename(bytes, start, nameEnd, total, 'P', NOTHING, variant.name(), holding);
        return true;
    }

    /** Makes sure that the server has a named statement, and answers as what; null: that is not known before something else is answered. */
    private @Nullable Variant provide(ByteBuf bytes, ClientStatements.Entry entry, ServerConnection holding) {
        Variant variant = holding.statements.of(entry);
        if (!holding.statements.has(variant)) {
            switch (holding.expected.parsing(variant)) {
                case NO -> {
                    passage.end(bytes, holding);
                    holding.statements.prepare(variant);
                }
                case EARLIER_BATCH -> {
                    session.blocked();
                    return null;
                }
                case SAME_BATCH -> {
                    // will be there
                }
            }
        }
        return variant;
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
        ClientStatements.Entry named = unnamed == null ? null : named(effect(unnamed));
        if (unnamed == null) {
            passage.end(bytes, holding);
            holding.statements.closeUnnamed();
        } else if (named != null) {
            Variant variant = provide(bytes, named, holding);
            if (variant == null) {
                return false;
            }
            passage.end(bytes, holding);
            holding.statements.prepareUnnamed(parseOf(unnamed, variant));
        } else if (holding.statements.unnamed != unnamed) {
            passage.end(bytes, holding);
            holding.statements.prepareUnnamed(unnamed);
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
        bound = null;
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
                session.pins.note(effect(unnamed), holding);
                ClientStatements.Entry executed = executed(effect(unnamed));
                if (executed != null) {
                    session.pins.note(effect(executed.statement()), holding);
                }
                drops = dropping(unnamed, holding);
            }
            holding.answers.expect(Kind.BIND, null);
            passage.pass(bytes, total, readable);
            return true;
        }
        ClientStatements.Entry entry = statements.find(bytes, portalEnd + 1, nameEnd);
        if (entry == null) {
            holding.statements.unsettle(); // nobody knows what it does
            holding.answers.expect(Kind.BIND, null);
            passage.pass(bytes, total, readable); // made by PREPARE, or not at all: the server knows
            return true;
        }
        StatementText.Effect effect = effect(entry.statement());
        ErrorMessage refusal = total > readable ? null : session.pins.refusal(effect);
        if (refusal != null) {
            refuse(bytes, total, total, refusal, holding);
            return true;
        }
        Variant variant = provide(bytes, entry, holding);
        if (variant == null) {
            return false;
        }
        if (entry.told().any()) {
            StatementTypes.Agreement agreement = asTold(bytes, nameEnd + 1, end, entry, variant, holding);
            if (agreement == StatementTypes.Agreement.NO && askAnew(bytes, entry, variant, holding)) {
                return false;
            }
            switch (agreement) {
                case YES -> {
                    // as everywhere
                }
                case NO -> {
                    refuse(bytes, total, readable, ServerStatements.CHANGED, holding);
                    return true;
                }
                case UNKNOWN -> {
                    if (session.standbyRead.running()) {
                        // Nobody waits there: the active side answers this one.
                        refuse(bytes, total, readable, ServerStatements.NOT_YET, holding);
                        return true;
                    }
                    session.blocked();
                    return false;
                }
            }
        }
        askedAnew = null;
        session.pins.note(effect, holding);
        drops = effect.drops() ? ServerStatements.ALL : null;
        passage.end(bytes, holding);
        holding.answers.expect(Kind.BIND, variant);
        portal = portalEnd == from ? NO_NAME : new byte[portalEnd + 1 - from];
        bytes.getBytes(from, portal);
        bound = entry;
        boundAs = variant;
        passage.rename(bytes, start, nameEnd, total, 'B', portal, variant.name(), holding);
        return true;
    }

    /**
     * Whether the statement is on this server what the client was told it is. PostgreSQL keeps that for a statement's life; here it may have been parsed anew,
     * of tables that have changed since. What is given and asked for as text says itself what it is. {@code UNKNOWN}: the server is asked.
     */
    private StatementTypes.Agreement asTold(
            ByteBuf bytes,
            int formats,
            int end,
            ClientStatements.Entry entry,
            Variant variant,
            ServerConnection holding) {
        StatementTypes there = holding.statements.types(variant);
        StatementTypes.Agreement agreement =
                there == null ? StatementTypes.Agreement.UNKNOWN : entry.told().with(there);
        if (agreement == StatementTypes.Agreement.YES) {
            return agreement;
        }
        if (agreement == StatementTypes.Agreement.UNKNOWN && !holding.expected.describing(variant)) {
            passage.end(bytes, holding);
            holding.statements.describe(variant);
        }
        if (!StatementTypes.binary(bytes, formats, end)) {
            return StatementTypes.Agreement.YES;
        }
        if (agreement == StatementTypes.Agreement.UNKNOWN && !session.standbyRead.running()) {
            flush(bytes, holding);
        }
        return agreement;
    }

    /** What the server said may have been of a table as it was then: has it say so again, once for each Bind; false: it just has. */
    private boolean askAnew(ByteBuf bytes, ClientStatements.Entry entry, Variant variant, ServerConnection holding) {
        boolean again = askedAnew != variant && !session.standbyRead.running();
        askedAnew = again ? variant : null;
        if (!again) {
            return false;
        }
        variant.renew();
        if (provide(bytes, entry, holding) != null) {
            flush(bytes, holding);
            session.blocked();
        }
        return true;
    }

    /** The server tells what it has been asked so far. */
    private void flush(ByteBuf bytes, ServerConnection holding) {
        passage.end(bytes, holding);
        ByteBuf out = session.loop.buffer();
        Message.empty(out, 'H');
        holding.write(out);
    }

    boolean describe(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int from = start + Message.HEADER + 1;
        int nameEnd = endOfString(bytes, from, start + total);
        int kind = bytes.getByte(start + Message.HEADER);
        if (kind == 'S') {
            if (nameEnd == from) {
                if (!provideUnnamed(bytes, holding)) {
                    return false;
                }
            } else {
                ClientStatements.Entry entry = statements.find(bytes, from, nameEnd);
                if (entry != null) {
                    Variant variant = provide(bytes, entry, holding);
                    if (variant == null) {
                        return false;
                    }
                    passage.end(bytes, holding);
                    holding.answers.expect(Kind.DESCRIBE, new ServerStatements.Described(told(entry), variant));
                    passage.rename(bytes, start, nameEnd, total, 'D', STATEMENT, variant.name(), holding);
                    return true;
                }
            }
        }
        holding.answers.expect(Kind.DESCRIBE, kind == 'P' ? ofPortal(bytes, from, nameEnd) : null);
        passage.pass(bytes, total, total);
        return true;
    }

    /** Null: it says of which types it is when it runs, as FETCH and EXECUTE do. */
    private static @Nullable StatementTypes told(ClientStatements.Entry entry) {
        return entry.statement().planned() ? entry.told() : null;
    }

    /** Of a portal whose statement the client has not been told about yet; null: any other. */
    private ServerStatements.@Nullable Described ofPortal(ByteBuf bytes, int from, int nameEnd) {
        ClientStatements.Entry entry = bound;
        Variant variant = boundAs;
        if (entry == null
                || variant == null
                || entry.told().columnsKnown()
                || told(entry) == null
                || portal.length != nameEnd + 1 - from) {
            return null;
        }
        for (int i = 0; i < portal.length; i++) {
            if (bytes.getByte(from + i) != portal[i]) {
                return null;
            }
        }
        return new ServerStatements.Described(entry.told(), variant);
    }

    void close(ByteBuf bytes, int start, int total, ServerConnection holding) {
        int from = start + Message.HEADER + 1;
        int nameEnd = endOfString(bytes, from, start + total);
        int kind = bytes.getByte(start + Message.HEADER);
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

    /** What a simple query executes of the client's statements, which the server knows by other names; null: nothing. */
    ClientStatements.@Nullable Entry executes(StatementText.Effect effect) {
        return executed(effect);
    }

    /**
     * A simple query that executes {@code entry}, once the server has that; false: that takes a moment. A Parse of the proxy's own has its own end:
     * where it fails the server would skip the query as well, and wait for a Sync that the client does not send.
     */
    boolean execute(ByteBuf bytes, int start, int total, ClientStatements.Entry entry, ServerConnection holding) {
        if (refused) {
            refused = false;
            passage.drop(bytes, total, total, holding);
            ByteBuf out = session.loop.buffer();
            Message.readyForQuery(out, holding.status);
            session.deliver(out);
            return true;
        }
        if (preparing) {
            session.blocked();
            return false;
        }
        Variant due = holding.statements.of(entry);
        boolean provided = holding.statements.has(due);
        boolean alone = !session.batches.open();
        if (!provided && alone && holding.expected.parsing(due) == Expectations.Parsing.NO) {
            passage.end(bytes, holding);
            prepareAlone(due, holding);
            session.blocked();
            return false;
        }
        Variant variant = provide(bytes, entry, holding);
        if (variant == null) {
            return false;
        }
        session.pins.note(effect(entry.statement()), holding);
        holding.statements.unnamed = null;
        statements.dropUnnamed();
        holding.answers.expect(Kind.QUERY, variant);
        session.batches.sent();
        passage.end(bytes, holding);
        bytes.skipBytes(total);
        ByteBuf out = session.loop.buffer();
        int query = Message.begin(out, 'Q');
        StatementText.renamed(bytes, start + Message.HEADER, start + total, variant.name(), out);
        Message.end(out, query);
        holding.write(out);
        return true;
    }

    private void prepareAlone(Variant variant, ServerConnection holding) {
        preparing = true;
        ClientStatements.Entry parsed = holding.statements.prepare(variant);
        ByteBuf sync = session.loop.buffer();
        Message.empty(sync, 'S');
        holding.exchange(new Exchange(sync, new RowBag(), _ -> {
            sync.release();
            preparing = false;
            refused = session.holds(holding) && !parsed.confirmed();
            session.process();
        }));
    }

    private static int endOfString(ByteBuf bytes, int from, int limit) {
        int end = Message.endOfString(bytes, from, limit);
        if (end < 0) {
            throw new ProtocolViolation("invalid string in message");
        }
        return end;
    }
}
