package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads on the server whose log is followed, each with the log's exact position: {@code MULTI, INFO replication, reads …, EXEC}. INFO
 * comes first: deletions that the reads themselves cause (expired keys) are then after the position, and repeating a deletion does no harm.
 * One thread at a time; reconnects by itself.
 */
final class SourceReads implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final Endpoint endpoint;
    private final Supplier<Backend.Login> login;
    private final String name;
    private @Nullable RespConnection connection;
    private boolean absoluteExpiry;
    private @Nullable ValueCommands values;
    private volatile boolean closed;

    SourceReads(Endpoint endpoint, Supplier<Backend.Login> login, String name) {
        this.endpoint = endpoint;
        this.login = login;
        this.name = name;
    }

    /** Replies of the reads, at a position. */
    record At(RouteLedger.Position position, List<Reply> replies) {}

    /** A key's whole value at a position, as the commands that write it; expiry in Unix milliseconds, 0 without one. */
    record Value(DbKey key, List<Object[]> writes, long expireAtMillis) {}

    record Values(RouteLedger.Position position, List<Value> values) {}

    At read(List<Object[]> reads) {
        RespConnection open = open();
        try {
            open.send("MULTI");
            open.send("INFO", "replication");
            for (Object[] read : reads) {
                open.send(read);
            }
            open.send("SELECT", 0);
            open.send("EXEC");
            open.flush();
            List<Reply> queued = open.read(reads.size() + 3);
            Reply result = open.read();
            for (Reply reply : queued) {
                if (reply instanceof Reply.Error error) {
                    throw new RedisException(error.message());
                }
            }
            List<Reply> replies = result.items();
            return new At(position(replies.getFirst().text()), replies.subList(1, replies.size() - 1));
        } catch (RuntimeException e) {
            drop();
            throw e;
        }
    }

    /** From now on keys are read by their types: the written side has refused what this one has serialised. */
    void readByType(ServerInfo written) {
        values = new ValueCommands(written);
    }

    boolean readsByType() {
        return values != null;
    }

    Values values(List<DbKey> keys) {
        ValueCommands byType = values;
        return byType == null ? serialised(keys) : byType(keys, byType);
    }

    private Values serialised(List<DbKey> keys) {
        open();
        List<Object[]> reads = new ArrayList<>(3 * keys.size() + 1);
        reads.add(new Object[] {"TIME"});
        for (DbKey key : keys) {
            reads.add(new Object[] {"SELECT", key.database()});
            reads.add(new Object[] {"DUMP", key.key()});
            reads.add(expiry(key));
        }
        At at = read(reads);
        Iterator<Reply> replies = at.replies().iterator();
        long now = millis(replies.next());
        List<Value> values = new ArrayList<>(keys.size());
        for (DbKey key : keys) {
            replies.next();
            Reply dump = replies.next();
            long expireAt = expireAt(replies.next(), now);
            Object[] write = dump.isNull()
                    ? new Object[] {"DEL", key.key()}
                    : new Object[] {"RESTORE", key.key(), expireAt, dump.bytes(), "REPLACE", "ABSTTL"};
            values.add(new Value(key, List.<Object[]>of(write), expireAt));
        }
        return new Values(at.position(), values);
    }

    /** A key is read as every type that it has been seen with: it may change while it is being asked for. */
    private Values byType(List<DbKey> keys, ValueCommands commands) {
        open();
        List<Set<String>> types = new ArrayList<>(keys.size());
        keys.forEach(_ -> types.add(new LinkedHashSet<>()));
        while (true) {
            List<Object[]> reads = new ArrayList<>(4 * keys.size() + 1);
            reads.add(new Object[] {"TIME"});
            for (int i = 0; i < keys.size(); i++) {
                DbKey key = keys.get(i);
                reads.add(new Object[] {"SELECT", key.database()});
                reads.add(new Object[] {"TYPE", key.key()});
                types.get(i).forEach(type -> reads.add(commands.read(type, key.key())));
                reads.add(expiry(key));
            }
            At at = read(reads);
            Iterator<Reply> replies = at.replies().iterator();
            long now = millis(replies.next());
            List<Value> values = new ArrayList<>(keys.size());
            boolean complete = true;
            for (int i = 0; i < keys.size(); i++) {
                replies.next();
                String type = replies.next().text();
                Reply value = Reply.NULL;
                for (String one : types.get(i)) {
                    Reply read = replies.next();
                    value = one.equals(type) ? read : value;
                }
                long expireAt = expireAt(replies.next(), now);
                complete &= type.equals("none") || !types.get(i).add(type);
                values.add(
                        new Value(keys.get(i), commands.writes(type, keys.get(i).key(), value, expireAt), expireAt));
            }
            if (complete) {
                return new Values(at.position(), values);
            }
        }
    }

    private Object[] expiry(DbKey key) {
        return new Object[] {absoluteExpiry ? "PEXPIRETIME" : "PTTL", key.key()};
    }

    private long expireAt(Reply expiry, long now) {
        long answer = expiry.number();
        return answer < 0 ? 0 : absoluteExpiry ? answer : now + answer;
    }

    private static long millis(Reply time) {
        return time.items().get(0).number() * 1000 + time.items().get(1).number() / 1000;
    }

    /** The position in the {@code replication} section of INFO. */
    static RouteLedger.Position position(String info) {
        ServerInfo fields = ServerInfo.parse(info);
        return new RouteLedger.Position(fields.text("master_replid"), fields.number("master_repl_offset"));
    }

    private RespConnection open() {
        RespConnection current = connection;
        if (closed) {
            throw new IllegalStateException("closed");
        }
        if (current == null) {
            current = RespConnection.connect(endpoint, login.get(), name, TIMEOUT);
            absoluteExpiry = ServerInfo.read(current, "server").atLeast(7, 0);
            connection = current;
        }
        return current;
    }

    private void drop() {
        RespConnection current = connection;
        connection = null;
        if (current != null) {
            current.close();
        }
    }

    @Override
    public void close() {
        closed = true;
        RespConnection current = connection;
        if (current != null) {
            current.close();
        }
    }
}
