package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
    private volatile boolean closed;

    SourceReads(Endpoint endpoint, Supplier<Backend.Login> login, String name) {
        this.endpoint = endpoint;
        this.login = login;
        this.name = name;
    }

    /** Replies of the reads, at a position. */
    record At(RouteLedger.Position position, List<Reply> replies) {}

    /** A key's whole value at a position: {@code payload} null when it is missing; expiry in Unix milliseconds, 0 without one. */
    @SuppressWarnings("ArrayRecordComponent")
    record Value(DbKey key, byte @Nullable [] payload, long expireAtMillis) {}

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
            return new At(ServerInfo.position(replies.getFirst().text()), replies.subList(1, replies.size() - 1));
        } catch (RuntimeException e) {
            drop();
            throw e;
        }
    }

    Values values(List<DbKey> keys) {
        open();
        List<Object[]> reads = new ArrayList<>(3 * keys.size() + 1);
        reads.add(new Object[] {"TIME"});
        for (DbKey key : keys) {
            reads.add(new Object[] {"SELECT", key.database()});
            reads.add(new Object[] {"DUMP", key.key()});
            reads.add(new Object[] {absoluteExpiry ? "PEXPIRETIME" : "PTTL", key.key()});
        }
        At at = read(reads);
        List<Reply> time = at.replies().getFirst().items();
        long now = time.get(0).number() * 1000 + time.get(1).number() / 1000;
        List<Value> values = new ArrayList<>(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            Reply dump = at.replies().get(3 * i + 2);
            long expiry = at.replies().get(3 * i + 3).number();
            values.add(new Value(
                    keys.get(i),
                    dump.isNull() ? null : dump.bytes(),
                    expiry < 0 ? 0 : absoluteExpiry ? expiry : now + expiry));
        }
        return new Values(at.position(), values);
    }

    private RespConnection open() {
        RespConnection current = connection;
        if (closed) {
            throw new IllegalStateException("closed");
        }
        if (current == null) {
            current = RespConnection.connect(endpoint, login.get(), name, TIMEOUT);
            absoluteExpiry =
                    ServerInfo.majorVersion(current.call("INFO", "server").text()) >= 7;
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
