package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A query of the proxy's own on a connection, and its answer. */
final class Exchange {
    /** {@code error} null: it worked. Columns as text. */
    record Outcome(List<@Nullable String[]> rows, @Nullable ErrorMessage error) {}

    private final String sql;
    private final @Nullable ByteBuf messages;
    private final @Nullable RowBag bag;
    private final Consumer<Outcome> then;
    private final List<@Nullable String[]> rows = new ArrayList<>();
    private @Nullable ErrorMessage error;
    private boolean done;

    Exchange(String sql, Consumer<Outcome> then) {
        this(sql, null, null, then);
    }

    /** Messages up to a Sync, or one simple query, whose rows are only counted into {@code bag}. */
    Exchange(ByteBuf messages, RowBag bag, Consumer<Outcome> then) {
        this("", messages, bag, then);
    }

    private Exchange(String sql, @Nullable ByteBuf messages, @Nullable RowBag bag, Consumer<Outcome> then) {
        this.sql = sql;
        this.messages = messages;
        this.bag = bag;
        this.then = then;
    }

    /** The same, with somebody else told first. */
    Exchange first(Consumer<Outcome> other) {
        return new Exchange(sql, messages, bag, outcome -> {
            other.accept(outcome);
            end(outcome);
        });
    }

    /** Writes what is asked; {@code encoding}: the session's. */
    void write(ByteBuf out, @Nullable String encoding) {
        ByteBuf ready = messages;
        if (ready == null) {
            Message.query(out, sql, encoding);
        } else {
            out.writeBytes(ready, ready.readerIndex(), ready.readableBytes());
        }
    }

    /** A DataRow, from its type byte; {@code encoding}: the session's. */
    void row(ByteBuf in, int index, int total, @Nullable String encoding) {
        RowBag only = bag;
        if (only != null) {
            only.add(in, index, total);
            return;
        }
        int at = index + Message.HEADER;
        @Nullable String[] columns = new @Nullable String[in.getUnsignedShort(at)];
        at += 2;
        for (int i = 0; i < columns.length; i++) {
            int length = in.getInt(at);
            at += 4;
            if (length >= 0) {
                columns[i] = Encoding.read(in, at, length, encoding);
                at += length;
            }
        }
        rows.add(columns);
    }

    void failed(ErrorMessage cause) {
        if (error == null) {
            error = cause;
        }
    }

    /** Calls back, once. */
    void end() {
        if (!done) {
            done = true;
            then.accept(new Outcome(rows, error));
        }
    }

    /** Calls back with what another exchange brought. */
    void end(Outcome outcome) {
        if (!done) {
            done = true;
            then.accept(outcome);
        }
    }
}
