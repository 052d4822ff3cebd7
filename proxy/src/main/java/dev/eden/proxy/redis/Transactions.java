package dev.eden.proxy.redis;

import dev.eden.proxy.resp.ProtocolError;
import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One client's transactions and watched keys: all of MULTI's commands run together or none does, and EXEC runs none where a watched key may have
 * changed unseen, whatever connection they are on in the end.
 */
final class Transactions {
    private final Session session;
    private final ClientConnection client;
    private final ProxyLoop loop;
    private final QueuedSelects selects;
    private @Nullable Transaction transaction;
    private boolean watching;
    private boolean watchBroken;
    private boolean settling;
    private boolean reopening;

    Transactions(Session session) {
        this.session = session;
        this.client = session.client;
        this.loop = session.loop;
        this.selects = new QueuedSelects(session);
    }

    /** The open MULTI; null where there is none. */
    @Nullable
    Transaction open() {
        return transaction;
    }

    /** True while a server keeps a transaction or watched keys for this client. */
    boolean pins() {
        return transaction != null || watching;
    }

    // ---- commands

    boolean multi() {
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        Transaction begun =
                new Transaction(loop.buffer(), loop.context.config.limits().recordedBytes());
        transaction = begun;
        client.forward(connection, new Begun(client, connection, begun, loop.now));
        return true;
    }

    boolean watch() {
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        watching = true;
        client.forward(connection);
        return true;
    }

    boolean unwatch() {
        watchBroken = false;
        if (!watching) {
            return session.shared();
        }
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        settling = true;
        client.forward(connection);
        return true;
    }

    /** Any command in an open transaction, its end included; {@code said} makes of the server's answer in EXEC's reply what the client gets. */
    boolean queue(Transaction open, Handling handling, @Nullable UnaryOperator<ByteBuf> said) {
        if (open.ending) {
            return false;
        }
        String why = open.impossible();
        if (why != null) {
            return refused(open, why, handling);
        }
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        switch (handling) {
            case EXEC -> {
                open.ending = true;
                settling = true;
                if (watchBroken && !open.failed) {
                    ByteBuf discard = loop.buffer();
                    RespWriter.command(discard, "DISCARD");
                    client.substitute(connection, discard, new BrokenExec(client));
                } else if (selects.any() || open.reply != null) {
                    client.forward(connection, new ReadExec(client, connection, open.reply, loop.now));
                } else {
                    session.forward(connection);
                }
            }
            case DISCARD -> {
                open.ending = true;
                settling = true;
                selects.forget();
                client.forward(connection);
            }
            case SCAN -> {
                ByteBuf in = client.buffer();
                open.recordScan(in, in.readerIndex(), client.requestLength());
                open.answer(answer -> ScanCursor.tagged(answer, loop.gate.activeTag()));
                open.queued++;
                open.stateful = true;
                List<byte[]> arguments = client.arguments();
                ScanCursor.untag(arguments, loop.gate.activeTag());
                ByteBuf out = loop.buffer();
                RespWriter.command(out, arguments);
                client.substitute(connection, out, client);
            }
            default -> {
                ByteBuf in = client.buffer();
                open.record(in, in.readerIndex(), client.requestLength());
                open.stateful |= !Session.keeps(handling);
                if (said != null) {
                    open.answer(said);
                }
                if (handling == Handling.SELECT) {
                    selects.add(open.queued);
                }
                if (handling != Handling.MULTI && handling != Handling.WATCH) { // refused and no more before 7.0
                    open.queued++;
                }
                client.forward(connection);
            }
        }
        return true;
    }

    /** A command that would change more than data: the server gets one in its place that it refuses as well, so that EXEC runs nothing. */
    boolean refuseOne(Transaction open, Handling handling, String why) {
        if (open.ending) {
            return false;
        }
        String impossible = open.impossible();
        if (impossible != null) {
            return refused(open, impossible, handling);
        }
        BackendConnection connection = session.connections.exclusive();
        if (connection == null) {
            return false;
        }
        ByteBuf tooShort = loop.buffer();
        RespWriter.command(tooShort, "ECHO");
        open.record(tooShort, tooShort.readerIndex(), tooShort.readableBytes());
        client.substitute(connection, tooShort, new RefusedCommand(client, why));
        return true;
    }

    /** A request too large to record goes out in it; it must not run alone, and can't be collected to be refused. */
    void queueLarge() {
        Transaction open = transaction;
        if (open != null) {
            open.overflow();
            open.queued++;
        }
    }

    void requireLargePossible() {
        String why = transaction == null ? null : transaction.impossible();
        if (why != null) {
            throw new ProtocolError(why);
        }
    }

    // ---- refusals

    /** There is no connection for the request at hand; true where that is answered here. */
    boolean refuse(String why, Handling handling) {
        Transaction open = transaction;
        if (open != null) {
            open.refused = why;
            if (handling == Handling.EXEC || handling == Handling.DISCARD) {
                refused(open, why, handling);
                return true;
            }
        } else if (handling == Handling.MULTI) {
            Transaction nothing = new Transaction(loop.buffer(), 0);
            nothing.refused = why;
            transaction = nothing;
            session.answer(out -> RespWriter.simple(out, "OK"));
            return true;
        } else if (handling == Handling.WATCH) {
            watchBroken = true;
        }
        return false;
    }

    /** The transaction will not run, whatever it holds. */
    private boolean refused(Transaction open, String why, Handling handling) {
        if (open.ending || client.inFlight() > 0) {
            return false;
        }
        return switch (handling) {
            case EXEC -> {
                selects.forget();
                settled();
                yield session.fail("EXECABORT Transaction discarded because of: " + why);
            }
            case DISCARD -> {
                selects.forget();
                settled();
                yield session.answer(out -> RespWriter.simple(out, "OK"));
            }
            default -> session.answer(out -> RespWriter.simple(out, "QUEUED"));
        };
    }

    // ---- replies

    /** A reply begins with this on the way to the client. */
    void replied(byte type) {
        Transaction open = transaction;
        if (open != null && type == '-') {
            if (open.ending) {
                session.connections.alter(); // EXECABORT or worse: not worth knowing which
                selects.forget();
            } else {
                open.failed = true;
            }
        }
    }

    /** The reply to MULTI: where it is refused, what comes behind it runs at once, and must not run again. */
    private record Begun(ClientConnection client, BackendConnection connection, Transaction begun, long sent)
            implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            byte type = frame.getByte(frame.readerIndex());
            boolean stranger =
                    type == '-' && RespValue.read(frame.duplicate()).text().startsWith("NOAUTH");
            client.session.count(connection, sent, client.loop.now, type);
            client.output(frame);
            if (type == '-' || type == '!') {
                client.session.transactions.notBegun(begun, stranger);
            }
            client.finished();
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    /** @param stranger the client has not logged in: what came behind MULTI was refused as well */
    private void notBegun(Transaction open, boolean stranger) {
        if (transaction != open) {
            return;
        }
        transaction = null;
        open.release();
        selects.forget();
        session.connections.alter();
        if (open.stateful && !stranger) {
            client.closeAfterOutput(); // it did to the connection what nobody here knows of
        }
    }

    /** The reply to what went out in the place of a command that is not for a transaction here. */
    private record RefusedCommand(ClientConnection client, String why) implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            frame.release();
            client.session.transactions.replied((byte) '-');
            client.error(why);
            client.finished();
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    /** The reply to EXEC of a transaction whose watched keys can't be vouched for any more: null, as if one had changed. */
    private record BrokenExec(ClientConnection client) implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            frame.release();
            client.session.transactions.selects.forget();
            ByteBuf out = client.loop.buffer();
            RespWriter.nullArray(out, client.session.protocol);
            client.output(out);
            client.finished();
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    /** EXEC of a transaction whose reply tells which database the client is in, or says what is not the server's to say. */
    private record ReadExec(
            ClientConnection client,
            BackendConnection connection,
            @Nullable ExecReply reply,
            long sent) implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            QueuedSelects selects = client.session.transactions.selects;
            if (selects.any()) {
                selects.executed(RespValue.read(frame.duplicate()).items());
            }
            client.session.replied(connection, sent, client.loop.now, frame.getByte(frame.readerIndex()));
            client.session.deliver(reply == null ? frame : reply.said(frame));
        }

        @Override
        public void lost() {
            client.lost();
        }
    }

    // ---- ends

    boolean settling() {
        return settling;
    }

    /** Takes note of an end that has been answered; false when the answer is still on its way. */
    boolean settle() {
        if (settling) {
            if (client.inFlight() > 0) {
                return false;
            }
            settled();
        }
        return true;
    }

    /** EXEC, DISCARD or UNWATCH has been answered. */
    private void settled() {
        settling = false;
        end();
        watching = false;
        watchBroken = false;
    }

    /** RESET: none of it any more. */
    void clear() {
        settled();
    }

    private void end() {
        Transaction open = transaction;
        if (open != null) {
            transaction = null;
            open.release();
            selects.transactionEnded();
        }
    }

    void close() {
        Transaction open = transaction;
        transaction = null;
        if (open != null) {
            open.release();
        }
    }

    // ---- barrier

    /** What the exclusive connection holds is no longer counted on. */
    void leave() {
        Transaction open = transaction;
        if (open != null) {
            open.replay = true;
        }
        if (watching) {
            watching = false;
            watchBroken = true;
            loop.counters.watchesBroken++;
        }
    }

    /** True where the connection that is left still holds something. */
    boolean leftBehind() {
        return transaction != null || watchBroken;
    }

    /** Queues again what the transaction had queued elsewhere, as soon as the server has agreed to one. */
    void replay(BackendConnection connection) {
        Transaction open = transaction;
        if (open != null && open.replay && !open.ending && open.impossible() == null) {
            open.replay = false;
            loop.counters.replayed++;
            reopening = true;
            ByteBuf multi = loop.buffer();
            RespWriter.command(multi, "MULTI");
            client.send(connection, multi, new BegunAgain(client, connection, open));
        }
    }

    /** True while the exclusive connection is not in the transaction yet: nothing of the client's may go over it. */
    boolean reopening() {
        return reopening;
    }

    private record BegunAgain(ClientConnection client, BackendConnection connection, Transaction open)
            implements ReplyTarget {
        @Override
        public void reply(ByteBuf frame) {
            byte type = frame.getByte(frame.readerIndex());
            client.session.transactions.begunAgain(
                    connection,
                    open,
                    type == '-' || type == '!' ? RespValue.read(frame).text() : null);
            frame.release();
            client.finished();
        }

        @Override
        public void lost() {
            client.session.transactions.reopening = false;
            client.lost();
        }
    }

    private void begunAgain(BackendConnection connection, Transaction open, @Nullable String refusal) {
        reopening = false;
        if (transaction != open) {
            return;
        }
        open.refused = refusal;
        if (refusal == null && open.commands() > 0) {
            client.send(connection, open.replayed(loop.gate.activeTag()), new Swallow(client));
            for (int i = 1; i < open.commands(); i++) {
                client.send(connection, Unpooled.EMPTY_BUFFER, new Swallow(client));
            }
        }
    }
}
