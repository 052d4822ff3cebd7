package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A query of the proxy's own on a connection, and its answer. */
final class Exchange {
    /** {@code error} null: it worked. Columns as text. */
    record Outcome(List<@Nullable String[]> rows, @Nullable ErrorMessage error) {}

    final String sql;
    private final Consumer<Outcome> then;
    private final List<@Nullable String[]> rows = new ArrayList<>();
    private @Nullable ErrorMessage error;
    private boolean done;

    Exchange(String sql, Consumer<Outcome> then) {
        this.sql = sql;
        this.then = then;
    }

    /** A DataRow, from its type byte. */
    void row(ByteBuf in, int index) {
        int at = index + Message.HEADER;
        @Nullable String[] columns = new @Nullable String[in.getUnsignedShort(at)];
        at += 2;
        for (int i = 0; i < columns.length; i++) {
            int length = in.getInt(at);
            at += 4;
            if (length >= 0) {
                columns[i] = in.toString(at, length, StandardCharsets.UTF_8);
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
