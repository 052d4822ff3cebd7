package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What each message of a client means, in the order in which they come: it goes on to the server, is answered here, goes nowhere, or waits with all
 * that is behind it.
 */
final class ClientMessages {
    /** A statement's text may be this long; larger ones are refused, because it may have to be sent again. */
    private static final int LONGEST_PARSE = 64 << 20;

    private final ClientSession session;
    private final PostgresLoop loop;
    private final ClientStatements statements;
    private final Canary canary;
    private final ReadTransaction transaction;
    private final Batches batches;
    private final Passage passage = new Passage();
    private final StatementMessages prepared;

    private boolean discardUntilSync;
    /** Prepared statements are being dropped: what is about statements waits until that has happened, or failed. */
    private ServerStatements.@Nullable Dropping dropping;

    ClientMessages(ClientSession session) {
        this.session = session;
        this.loop = session.loop;
        this.statements = session.statements;
        this.canary = session.canary;
        this.transaction = session.transaction;
        this.batches = session.batches;
        this.prepared = new StatementMessages(session, passage);
    }

    /** True where a server waits for the rest of a message. */
    boolean cutShort() {
        return passage.sending();
    }

    /** What of a message is still to come is for nobody. */
    void serverLost() {
        passage.lost();
    }

    /** Goes through them as far as it can. */
    void read(ByteBuf bytes) {
        try {
            boolean more = true;
            while (more && !session.closed()) {
                more = step(bytes) && session.listens();
            }
        } finally {
            passage.end(bytes, session.server());
        }
    }

    private boolean step(ByteBuf bytes) {
        int readable = bytes.readableBytes();
        if (passage.streaming()) {
            return passage.stream(bytes);
        }
        if (readable < Message.HEADER) {
            return false;
        }
        int start = bytes.readerIndex();
        byte type = bytes.getByte(start);
        int length = bytes.getInt(start + 1);
        if (length < 4 || length > Message.MAX_LENGTH) {
            throw new ProtocolViolation("invalid message length");
        }
        int total = length + 1;
        boolean whole = readable >= total;
        if (discardUntilSync) {
            return discard(bytes, type, total, readable);
        }
        if (!whole && type != 'd') {
            if (type == 'P' && total > LONGEST_PARSE) {
                throw new ProtocolViolation("a statement of " + total + " bytes");
            }
            if (type == 'P'
                    || total <= loop.config.limits().collectBytes()
                    || readable < loop.config.limits().collectBytes()) {
                return false;
            }
        }
        if (session.standbyRead.running() && !batches.open() && batches.unanswered() > 0) {
            session.blocked(); // one read at a time there: it may have to be repeated here
            return false;
        }
        if (session.settings.resetting(batches.unanswered() == 0) && !batches.open() && "QFPBDEC".indexOf(type) >= 0) {
            session.blocked();
            return false;
        }
        if (dropping != null && "QFPBDEC".indexOf(type) >= 0) {
            if (awaits(dropping, bytes)) {
                return false;
            }
            dropping = null;
        }
        if (type == 'Q' || type == 'P' || type == 'B' || transaction.failed() && "DCEF".indexOf(type) >= 0) {
            int answered = transaction.answer(bytes, start, session.server() == null && session.betweenRequests());
            if (answered > 0) {
                passage.end(bytes, session.server());
                bytes.skipBytes(answered);
                return true;
            }
            if (discardUntilSync) {
                return true;
            }
        }
        if (type == 'Q' || type == 'P' || type == 'B') {
            if (!session.betweenRequests()) {
                canary.leave();
            } else if (canary.choose(bytes, start, session.settings.now()) == Canary.Choice.WAIT) {
                session.blocked();
                return false;
            }
        }
        return switch (type) {
            case 'X' -> {
                passage.end(
                        bytes, session.server()); // what stands before it; the session there is not the client's to end
                bytes.skipBytes(readable);
                session.finish();
                yield false;
            }
            case 'd', 'c', 'f' -> copyData(bytes, type, total, readable);
            case 'Q', 'F' -> query(bytes, type, start, total, readable);
            case 'P', 'B', 'D', 'E', 'C', 'S', 'H' -> extended(bytes, type, start, total, readable);
            default -> throw new ProtocolViolation("invalid frontend message type " + (type & 0xff));
        };
    }

    /** Within a batch the server keeps its answers to itself unless it is asked for them. */
    private boolean awaits(ServerStatements.Dropping drop, ByteBuf bytes) {
        ServerConnection holding = session.server();
        if (holding == null || !holding.expected.expects(drop)) {
            return false;
        }
        if (batches.open()) {
            passage.end(bytes, holding);
            ByteBuf out = loop.buffer();
            Message.empty(out, 'H');
            holding.write(out);
        }
        session.blocked();
        return true;
    }

    private boolean discard(ByteBuf bytes, byte type, int total, int readable) {
        if (type == 'S') {
            discardUntilSync = false;
            passage.drop(bytes, total, readable, session.server());
            ByteBuf out = loop.buffer();
            Message.readyForQuery(out, transaction.status());
            session.deliver(out);
        } else if (type == 'X') {
            session.finish();
            return false;
        } else {
            passage.drop(bytes, total, readable, session.server());
        }
        return true;
    }

    private boolean copyData(ByteBuf bytes, byte type, int total, int readable) {
        ServerConnection holding = session.server();
        if (holding == null) {
            passage.drop(bytes, total, readable, null); // left over from a COPY that failed, as the server drops it
            return true;
        }
        if (type != 'd') {
            holding.answers.rowsEnded();
        }
        passage.pass(bytes, total, readable);
        return true;
    }

    private boolean query(ByteBuf bytes, byte type, int start, int total, int readable) {
        StatementText.Effect effect = StatementText.Effect.NONE;
        if (type == 'Q') {
            int end = start + Math.min(total, readable);
            effect = total > readable
                    ? StatementText.Effect.UNKNOWN
                    : StatementText.classify(bytes, start + Message.HEADER, end, session.settings.plainBackslashes());
            String name = effect.deallocates();
            if (name != null && !batches.open() && statements.has(name)) {
                return prepared.deallocate(bytes, name, total, readable);
            }
        } else {
            effect = StatementText.Effect.UNKNOWN;
        }
        ErrorMessage refusal = batches.open() ? null : session.pins.refusal(effect);
        if (refusal != null) {
            refuse(bytes, refusal);
            return true;
        }
        if (!session.mayGo()) {
            return false;
        }
        ServerConnection holding = Objects.requireNonNull(session.server());
        if (holding.answers.ignores()) {
            passage.pass(bytes, total, readable);
            return true;
        }
        canary.passes(bytes, start, holding);
        session.pins.note(effect, holding);
        ClientStatements.Entry executed = prepared.executes(effect);
        if (executed != null) {
            return prepared.execute(bytes, start, total, executed, holding);
        }
        if (type == 'Q') {
            holding.statements.unnamed = null;
            statements.dropUnnamed();
        }
        dropping = effect.drops() ? ServerStatements.ALL : null;
        holding.answers.expect(Kind.QUERY, dropping);
        batches.sent();
        passage.pass(bytes, total, readable);
        return true;
    }

    private boolean extended(ByteBuf bytes, byte type, int start, int total, int readable) {
        if (!batches.open() && (type == 'H' || type == 'S' && session.server() == null)) {
            passage.drop(bytes, total, readable, session.server());
            if (type == 'S') {
                ByteBuf out = loop.buffer();
                Message.readyForQuery(out, transaction.status());
                session.deliver(out);
            }
            return true;
        }
        if (!session.mayGo()) {
            return false;
        }
        ServerConnection holding = Objects.requireNonNull(session.server());
        if (type == 'S') {
            if (!holding.answers.wantsRows()) {
                holding.answers.expect(Kind.SYNC, null);
                batches.sent();
            } else {
                holding.answers.syncIgnored();
            }
            passage.pass(bytes, total, readable);
            return true;
        }
        batches.begun();
        if (holding.answers.ignores()) {
            passage.pass(bytes, total, readable);
            return true;
        }
        switch (type) {
            case 'P' -> {
                return prepared.parse(bytes, start, total, holding);
            }
            case 'B' -> {
                return prepared.bind(bytes, start, total, readable, holding);
            }
            case 'D' -> {
                return prepared.describe(bytes, start, total, holding);
            }
            case 'C' -> prepared.close(bytes, start, total, holding);
            case 'E' -> {
                batches.executed();
                dropping = prepared.executesDrop();
                holding.answers.expect(Kind.EXECUTE, dropping);
                passage.pass(bytes, total, readable);
            }
            default -> passage.pass(bytes, total, readable);
        }
        return true;
    }

    /** There is no connection to be had for the message at hand. */
    void refuse(ByteBuf bytes, ErrorMessage why) {
        byte type = bytes.getByte(bytes.readerIndex());
        ByteBuf out = loop.buffer();
        why.as("ERROR").write(out);
        transaction.fail();
        if (type == 'Q' || type == 'F') {
            passage.drop(bytes, bytes.getInt(bytes.readerIndex() + 1) + 1, bytes.readableBytes(), session.server());
            Message.readyForQuery(out, transaction.status());
        } else {
            discardUntilSync = true;
        }
        session.deliver(out);
    }

    /** An error has been told within a batch of the extended protocol: the rest of it is skipped. */
    void discardBatch() {
        discardUntilSync = true;
    }
}
