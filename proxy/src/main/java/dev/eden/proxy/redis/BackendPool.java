package dev.eden.proxy.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one event loop to one server under one login, database and protocol: a few shared ones, and idle exclusive ones
 * kept for reuse. A failed connect is tried again with a growing pause; meanwhile those who ask get the reason at once.
 */
final class BackendPool {
    /** Requests waiting on a shared connection before the next one is used: fewer connections mean larger batches. */
    private static final int SPREAD = 256;

    private static final int IDLE_EXCLUSIVE = 64;
    private static final long MIN_BACKOFF = 20_000_000;
    private static final long MAX_BACKOFF = 1_000_000_000;

    final ProxyLoop loop;
    final PoolKey key;
    private final @Nullable BackendConnection[] shared;
    private final Deque<BackendConnection> idle = new ArrayDeque<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final List<BackendConnection> connecting = new ArrayList<>();
    private int sharedConnecting;
    private @Nullable String failure;
    private long backoff = MIN_BACKOFF;
    private long retryAt;
    private boolean closed;
    int references;
    long unusedSince;

    /** Somebody who waits for a connection; {@code connection} null with a reason when there is none. */
    interface Taker {
        void take(@Nullable BackendConnection connection, @Nullable String failure);
    }

    private record Waiting(boolean exclusive, Taker taker) {}

    BackendPool(ProxyLoop loop, PoolKey key, int size) {
        this.loop = loop;
        this.key = key;
        this.shared = new BackendConnection[size];
    }

    /** True where the pool's server is the one that the current route calls active. */
    boolean onActive() {
        return key.server().equals(loop.activeServer());
    }

    /** A shared connection ready for requests, or null: ask {@link #await}. */
    @Nullable
    BackendConnection pick() {
        BackendConnection best = null;
        int free = -1;
        for (int i = 0; i < shared.length; i++) {
            BackendConnection candidate = shared[i];
            if (candidate == null) {
                free = free < 0 ? i : free;
            } else if (candidate.unselected && onActive()) {
                candidate.close(); // its SELECT was refused by a fence that is down now
                free = free < 0 ? i : free;
            } else if (candidate.usable()) {
                if (candidate.pending() < SPREAD && candidate.writable()) {
                    return candidate;
                }
                if (best == null || candidate.pending() < best.pending()) {
                    best = candidate;
                }
            }
        }
        if (best != null && free >= 0 && sharedConnecting == 0) {
            connect(true);
        }
        return best;
    }

    /** Calls back with a shared or exclusive connection, or with the reason why there is none; maybe before it returns. */
    void await(boolean exclusive, Taker taker) {
        if (closed) {
            taker.take(null, "ERR eden: the interlay has moved, try again");
            return;
        }
        if (exclusive) {
            for (BackendConnection kept = idle.pollLast(); kept != null; kept = idle.pollLast()) {
                if (kept.unselected && onActive()) {
                    kept.close();
                } else if (kept.usable()) {
                    taker.take(kept, null);
                    return;
                }
            }
        } else {
            BackendConnection picked = pick();
            if (picked != null) {
                taker.take(picked, null);
                return;
            }
        }
        String why = failure;
        if (why != null && System.nanoTime() < retryAt) {
            taker.take(null, why);
            return;
        }
        waiting.add(new Waiting(exclusive, taker));
        if (exclusive || sharedConnecting == 0) {
            connect(!exclusive);
        }
    }

    /** Opens a shared connection where there is none, for readiness; failures only count. */
    void warm() {
        if (!closed && pick() == null && sharedConnecting == 0 && System.nanoTime() >= retryAt) {
            connect(true);
        }
    }

    /** The next who asks is not told of an earlier failure. */
    void forgive() {
        failure = null;
        backoff = MIN_BACKOFF;
        retryAt = 0;
    }

    private void connect(boolean forShared) {
        BackendConnection connection = new BackendConnection(this);
        connecting.add(connection);
        if (forShared) {
            sharedConnecting++;
        }
        connection.shared = forShared;
        loop.connector.connect(key.server(), connection, cause -> failed(connection, cause));
    }

    private void failed(BackendConnection connection, String cause) {
        if (connecting.remove(connection)) {
            settle(connection, "ERR eden: cannot reach endpoint " + key.server().endpoint() + ": " + cause);
        }
    }

    /** The server refused the handshake in these words. */
    void refused(BackendConnection connection, String why) {
        if (connecting.remove(connection)) {
            settle(connection, why);
        }
        connection.close();
    }

    private void settle(BackendConnection connection, String why) {
        if (connection.shared) {
            sharedConnecting--;
        }
        loop.counters.connectFailures++;
        failure = why;
        retryAt = System.nanoTime() + backoff;
        backoff = Math.min(MAX_BACKOFF, backoff * 2);
        List<Waiting> told = new ArrayList<>(waiting);
        waiting.clear();
        told.forEach(one -> one.taker().take(null, why));
    }

    void connected(BackendConnection connection) {
        connecting.remove(connection);
        failure = null;
        backoff = MIN_BACKOFF;
        loop.backendOpened(this);
        if (closed) {
            connection.close();
            return;
        }
        if (connection.shared) {
            sharedConnecting--;
            for (int i = 0; i < shared.length; i++) {
                if (shared[i] == null) {
                    shared[i] = connection;
                    break;
                }
            }
            serve(one -> !one.exclusive(), connection, Integer.MAX_VALUE);
        } else if (!serve(Waiting::exclusive, connection, 1)) {
            release(connection);
        }
    }

    private boolean serve(java.util.function.Predicate<Waiting> which, BackendConnection connection, int most) {
        List<Waiting> served = new ArrayList<>();
        for (Waiting one : waiting) {
            if (which.test(one) && served.size() < most) {
                served.add(one);
            }
        }
        waiting.removeAll(served);
        served.forEach(one -> one.taker().take(connection, null));
        return !served.isEmpty();
    }

    /** Gives an exclusive connection back; it is clean (no transaction, watch or subscription). */
    void release(BackendConnection connection) {
        connection.owner = null;
        connection.tap = null;
        if (closed
                || connection.aimedAt
                || !connection.usable()
                || connection.pending() > 0
                || idle.size() >= IDLE_EXCLUSIVE) {
            connection.close();
            return;
        }
        connection.idleSince = loop.now;
        idle.addLast(connection);
    }

    /** The connection is gone. */
    void closed(BackendConnection connection, boolean wasReady) {
        if (wasReady) {
            loop.backendClosed();
        }
        idle.remove(connection);
        for (int i = 0; i < shared.length; i++) {
            if (shared[i] == connection) {
                shared[i] = null;
            }
        }
        if (connecting.remove(connection)) {
            settle(connection, "ERR eden: endpoint " + key.server().endpoint() + " closed the connection");
        }
    }

    /** Closes everything, those in use included. */
    void close() {
        closed = true;
        each(BackendConnection::close);
        for (BackendConnection one : new ArrayList<>(connecting)) {
            one.close();
        }
    }

    void each(Consumer<BackendConnection> action) {
        for (BackendConnection one : shared.clone()) {
            if (one != null) {
                action.accept(one);
            }
        }
        new ArrayList<>(idle).forEach(action);
    }

    /** Closes idle exclusive connections that nobody took for a while. */
    void trim(long before) {
        while (!idle.isEmpty() && idle.getFirst().idleSince < before) {
            idle.getFirst().close();
        }
    }
}
