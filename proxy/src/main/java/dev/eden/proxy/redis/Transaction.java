package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RequestScanner;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An open MULTI: its queued commands, recorded so that they can be queued again on another connection when a flip takes this one away.
 * Past the cap nothing more is recorded and such a transaction can only be aborted.
 */
final class Transaction {
    private record Scan(int from, int length) {}

    private final ByteBuf recorded;
    private final int cap;
    /** Where in what is recorded the commands with cursors are, which are the client's: the server's own mean nothing to another. */
    private List<Scan> scans = List.of();

    private int commands;
    private boolean overflowed;

    /** What EXEC's reply says otherwise than the server; null: nothing. */
    @Nullable
    ExecReply reply;

    /** Commands that EXEC will answer for, those not recorded included. */
    int queued;

    /** A queued command was refused: EXEC will answer EXECABORT. */
    boolean failed;

    /** One of the commands sent means something else outside of a transaction. */
    boolean stateful;

    /** Why a part of it could not be queued: nothing of it may run any more. */
    @Nullable
    String refused;

    /** The connection was given up; the commands must be queued again before the next one. */
    boolean replay;

    /** EXEC or DISCARD is on its way. */
    boolean ending;

    Transaction(ByteBuf recorded, int cap) {
        this.recorded = recorded;
        this.cap = cap;
    }

    void record(ByteBuf in, int offset, int length) {
        if (overflowed || recorded.readableBytes() + length > cap) {
            overflow();
            return;
        }
        recorded.writeBytes(in, offset, length);
        commands++;
    }

    void recordScan(ByteBuf in, int offset, int length) {
        int from = recorded.writerIndex();
        record(in, offset, length);
        if (!overflowed) {
            if (scans.isEmpty()) {
                scans = new ArrayList<>();
            }
            scans.add(new Scan(from, length));
        }
    }

    /** The answer to the command that is queued now goes to the client as {@code said} makes it. */
    void answer(UnaryOperator<ByteBuf> said) {
        ExecReply all = reply == null ? new ExecReply() : reply;
        all.add(queued, said);
        reply = all;
    }

    void overflow() {
        overflowed = true;
        recorded.clear();
    }

    boolean overflowed() {
        return overflowed;
    }

    /** Why nothing of it may run any more, and nothing that comes behind it before its end; null: it may. */
    @Nullable
    String impossible() {
        return refused == null && replay && overflowed
                ? "its commands are too large to be queued again after an attempt"
                : refused;
    }

    int commands() {
        return commands;
    }

    /** The recorded commands, for a new connection to the server with this {@code tag}. */
    ByteBuf replayed(int tag) {
        ByteBuf out = recorded.alloc().ioBuffer(recorded.readableBytes() + 16);
        int copied = recorded.readerIndex();
        for (Scan scan : scans) {
            out.writeBytes(recorded, copied, scan.from - copied);
            List<byte[]> arguments = RequestScanner.arguments(recorded, scan.from);
            ScanCursor.untag(arguments, tag);
            RespWriter.command(out, arguments);
            copied = scan.from + scan.length;
        }
        out.writeBytes(recorded, copied, recorded.writerIndex() - copied);
        return out;
    }

    void release() {
        recorded.release();
    }
}
