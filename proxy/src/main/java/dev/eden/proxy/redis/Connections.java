package dev.eden.proxy.redis;

import org.jspecify.annotations.Nullable;

/**
 * The connections one client's requests go over: any of its pool's shared ones, or one of its own for as long as a server keeps something for it
 * there. Who asks while there is none is told null and asked again when there is one, or the reason why there is none.
 */
final class Connections {
    private final Session session;
    private final ClientConnection client;
    private final ProxyLoop loop;

    private @Nullable BackendPool pool;
    private @Nullable BackendConnection exclusive;
    private boolean reserved;
    private boolean acquiring;
    private boolean altered;
    /** The wait for a connection that is under way; one that was given up is told by it from the one that followed. */
    private @Nullable Object waiting;

    Connections(Session session) {
        this.session = session;
        this.client = session.client;
        this.loop = session.loop;
    }

    // ---- shared

    BackendPool pool() {
        BackendPool known = pool;
        if (known == null) {
            ServerAddress server = loop.activeServer();
            if (server == null) {
                throw new IllegalStateException("no active server");
            }
            known = loop.pool(new PoolKey(server, session.identity, session.database, session.protocol));
            known.references++;
            pool = known;
        }
        return known;
    }

    /** Login, database or protocol have changed, or the route has. */
    void forgetPool() {
        BackendPool known = pool;
        if (known != null) {
            known.references--;
            known.unusedSince = loop.now;
            pool = null;
        }
    }

    /** Where the request at hand goes: the exclusive connection while it is needed, else any. */
    @Nullable
    BackendConnection any() {
        return session.pinned() ? exclusive() : shared();
    }

    private @Nullable BackendConnection shared() {
        if (client.inFlight() > 0) {
            BackendConnection current = client.current();
            if (current == null || current == exclusive || current.pool != pool || !current.usable()) {
                return null;
            }
            return current.writable() ? current : null;
        }
        drop();
        return pick(pool());
    }

    /** A connection under other terms, for a request that nothing is in flight before. */
    @Nullable
    BackendConnection under(ServerAddress server, Identity identity, int database, int protocol) {
        BackendPool other = loop.pool(new PoolKey(server, identity, database, protocol));
        other.unusedSince = loop.now;
        return pick(other);
    }

    private @Nullable BackendConnection pick(BackendPool from) {
        BackendConnection picked = from.pick();
        if (picked == null) {
            client.pauseForAnswer();
            Object wait = new Object();
            waiting = wait;
            from.await(false, (_, failure) -> {
                if (waiting == wait) {
                    waiting = null;
                    resume(failure);
                }
            });
            return null;
        }
        return picked.writable() ? picked : null;
    }

    // ---- exclusive

    /** This client's own connection, with what has to be said on it first; null while it is being had, or something else is in flight. */
    @Nullable
    BackendConnection exclusive() {
        if (session.listening.loggingIn() || session.transactions.reopening()) {
            return null;
        }
        BackendConnection mine = exclusive;
        if (mine != null) {
            boolean free = client.inFlight() == 0 || client.current() == mine;
            if (!free || !mine.writable()) {
                return null;
            }
            reserved = false;
            return mine;
        }
        if (client.inFlight() > 0 || acquiring) {
            return null;
        }
        acquire();
        return exclusive == null ? null : exclusive();
    }

    private void acquire() {
        ProxyContext context = loop.context;
        client.pauseForAnswer();
        if (context.exclusive.incrementAndGet() > context.config.maxPinned()) {
            context.exclusive.decrementAndGet();
            if (session.listening.active()) {
                client.close(); // it has lost what it listened to
                return;
            }
            client.resumeWithFailure("ERR eden: no exclusive connection left (limit "
                    + context.config.maxPinned()
                    + "); too many transactions, blocking commands or subscribers at once");
            return;
        }
        acquiring = true;
        Object wait = new Object();
        waiting = wait;
        BackendPool from = pool();
        from.await(true, (connection, failure) -> {
            if (waiting != wait) {
                if (connection != null) {
                    from.release(connection);
                }
                return;
            }
            waiting = null;
            acquiring = false;
            if (connection == null || client.isClosed() || from != pool) {
                context.exclusive.decrementAndGet();
                if (connection != null) {
                    from.release(connection);
                    client.resume();
                } else if (!client.isClosed()) {
                    if (session.listening.active()) {
                        client.close(); // it has lost what it listened to
                    }
                    resume(failure == null ? "ERR eden: no connection" : failure);
                }
                return;
            }
            connection.owner = client;
            exclusive = connection;
            reserved = true;
            loop.counters.exclusiveConnections++;
            session.listening.prelude(connection);
            session.transactions.replay(connection);
            client.resume();
        });
    }

    /** The wait for a connection is over; where the barrier has come meanwhile, the side that opens says whether there is one. */
    private void resume(@Nullable String failure) {
        if (failure == null || loop.gate.held()) {
            client.resume();
        } else {
            client.resumeWithFailure(failure);
        }
    }

    /** Waits for no connection any more; true where it did. What comes of it is for others. */
    boolean abandon() {
        if (waiting == null) {
            return false;
        }
        waiting = null;
        if (acquiring) {
            acquiring = false;
            loop.context.exclusive.decrementAndGet();
        }
        return true;
    }

    /** Takes a connection that was prepared elsewhere as this client's own. */
    void adopt(BackendConnection connection) {
        close();
        connection.owner = client;
        exclusive = connection;
        loop.context.exclusive.incrementAndGet();
        loop.counters.exclusiveConnections++;
    }

    /** The exclusive connection as it is; null where there is none. */
    @Nullable
    BackendConnection own() {
        return exclusive;
    }

    boolean acquiring() {
        return acquiring;
    }

    /** The exclusive connection is not what its pool takes it for; it will be closed rather than kept. */
    void alter() {
        altered = true;
    }

    /** Gives the exclusive connection back where nothing needs it and no request is about to use it. */
    void dropUnneeded() {
        if (exclusive != null && !reserved && !session.pinned()) {
            drop();
        }
    }

    /** Gives the exclusive connection back for reuse; it must be clean. */
    void drop() {
        BackendConnection mine = forget();
        if (mine == null) {
            return;
        }
        boolean clean = mine.pool == pool && !altered;
        if (mine.pool == pool) {
            altered = false;
        }
        if (clean) {
            mine.pool.release(mine);
        } else {
            mine.close();
        }
    }

    /** Closes it, and with it whatever it held on the server. */
    void close() {
        BackendConnection mine = forget();
        if (mine != null) {
            mine.close();
        }
    }

    private @Nullable BackendConnection forget() {
        BackendConnection mine = exclusive;
        if (mine != null) {
            exclusive = null;
            reserved = false;
            mine.owner = null;
            mine.tap = null;
            client.left(mine);
            loop.context.exclusive.decrementAndGet();
            loop.counters.exclusiveConnections--;
        }
        return mine;
    }

    /** The server has ended it. */
    void lost(BackendConnection connection) {
        if (exclusive != connection) {
            return;
        }
        boolean needed = session.pinned() || client.inFlight() > 0;
        forget();
        if (needed && !client.isClosed()) {
            client.close();
        }
    }
}
