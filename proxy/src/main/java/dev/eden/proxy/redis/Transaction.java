package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * An open MULTI: its queued commands, recorded so that they can be queued again on another connection when a flip takes this one away.
 * Past the cap nothing more is recorded and such a transaction can only be aborted.
 */
final class Transaction {
    private final ByteBuf recorded;
    private final int cap;
    private int commands;
    private boolean overflowed;

    /** Commands that EXEC will answer for, those not recorded included. */
    int queued;

    /** A queued command was refused: EXEC will answer EXECABORT. */
    boolean failed;

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

    /** MULTI and the recorded commands, for a new connection. */
    ByteBuf replayed() {
        ByteBuf out = recorded.alloc().ioBuffer(recorded.readableBytes() + 16);
        RespWriter.command(out, "MULTI");
        out.writeBytes(recorded, recorded.readerIndex(), recorded.readableBytes());
        return out;
    }

    void release() {
        recorded.release();
    }
}
