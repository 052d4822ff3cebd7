package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespValue;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code SELECT} in a transaction: where EXEC runs it the connection is on that database, and so is the client; only EXEC's reply tells. */
final class QueuedSelects {
    private record QueuedSelect(int at, int database) {}

    private final Session session;
    private final List<QueuedSelect> selects = new ArrayList<>();
    private @Nullable Integer selected;

    QueuedSelects(Session session) {
        this.session = session;
    }

    /** The SELECT at hand is queued behind this many others. */
    void add(int at) {
        ClientConnection client = session.client;
        if (client.request().count() == 2) {
            selects.add(new QueuedSelect(at, (int) Ascii.parseLong(client.argument(1))));
        }
    }

    boolean any() {
        return !selects.isEmpty();
    }

    /** EXEC has answered: no replies where nothing ran. */
    void executed(List<RespValue> replies) {
        for (QueuedSelect one : selects) {
            if (one.at < replies.size() && replies.get(one.at) instanceof RespValue.Line) {
                selected = one.database;
            }
        }
        selects.clear();
    }

    /** They did not run. */
    void forget() {
        selects.clear();
        selected = null;
    }

    void transactionEnded() {
        Integer database = selected;
        forget();
        if (database != null && database >= 0) {
            session.connections.alter();
            session.database = database;
            session.connections.forgetPool();
        }
    }
}
