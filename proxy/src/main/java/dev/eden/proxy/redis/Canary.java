package dev.eden.proxy.redis;

import dev.eden.proxy.Backend;
import dev.eden.proxy.CanaryPolicy;
import dev.eden.proxy.Route;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Which of a client's reads the standby may serve: chosen by key, so that one key's reads stay on one side, and only when it is fresh enough for
 * this client. What fails there is served by the active server instead; the client never learns.
 */
final class Canary {
    private static final int WHOLE = 10_000;

    private final Session session;
    private final ClientConnection client;
    private final ProxyLoop loop;
    private long lastActiveReply = Long.MIN_VALUE;
    private long waitingSince;
    private boolean sourceNext;

    Canary(Session session) {
        this.session = session;
        this.client = session.client;
        this.loop = session.loop;
    }

    void activeReplied(long at) {
        lastActiveReply = at;
    }

    /** The read at hand goes to the active server without being asked for: whatever waited for freshness waits no more. */
    void leave() {
        waitingSince = 0;
    }

    /** What to do with the read at hand. */
    enum Choice {
        ACTIVE,
        STANDBY,
        WAIT
    }

    Choice choose(CommandSpec spec) {
        Route route = loop.route();
        if (route == null || route.standby() == null || route.canary().readShare() <= 0) {
            waitingSince = 0;
            return Choice.ACTIVE;
        }
        BackendConnection current = client.current();
        if (client.inFlight() > 0 && current != null && !current.pool.onActive()) {
            return Choice.WAIT; // one read at a time there: it may have to be repeated here
        }
        if (sourceNext) {
            if (client.inFlight() == 0) {
                sourceNext = false;
            }
            return Choice.ACTIVE;
        }
        // Also of a read that has waited: a reply that overtakes an earlier one would be taken for it.
        String reason = ineligible(route);
        if (reason != null) {
            waitingSince = 0;
            loop.traffic.ineligible.merge(reason, 1L, Long::sum);
            return Choice.ACTIVE;
        }
        if (waitingSince == 0) {
            loop.counters.eligibleReads++;
            if (!chosen(spec, route.canary().readShare())) {
                return Choice.ACTIVE;
            }
            loop.counters.chosenReads++;
        }
        long moment = route.canary().consistency() == CanaryPolicy.Consistency.GLOBAL
                ? (waitingSince == 0 ? loop.now : waitingSince)
                : lastActiveReply;
        if (moment == Long.MIN_VALUE
                ? loop.context.freshness().covers(loop.now - TimeUnit.SECONDS.toNanos(10))
                : loop.context.freshness().covers(moment)) {
            waitingSince = 0;
            return Choice.STANDBY;
        }
        if (waitingSince == 0) {
            waitingSince = loop.now;
        } else if (System.nanoTime() - waitingSince >= route.canary().maxWait().toNanos()) {
            waitingSince = 0;
            loop.traffic.ineligible.merge("stale", 1L, Long::sum);
            return Choice.ACTIVE;
        }
        client.pauseForAnswer();
        loop.eventLoop.schedule(client::resume, 500, TimeUnit.MICROSECONDS);
        return Choice.WAIT;
    }

    private @Nullable String ineligible(Route route) {
        if (client.inFlight() > 0) {
            return "pipelined";
        }
        if (session.pinned()) {
            return "pinned";
        }
        return mayReadAll(route.active()) ? null : "user";
    }

    /** The standby answers with Eden's rights, so only who is refused nothing by the active server may read there. */
    private boolean mayReadAll(@Nullable Backend active) {
        if (active == null) {
            return false;
        }
        ServerAddress server = ServerAddress.of(active);
        if (!loop.context.openToAll(server)) {
            return false;
        }
        Backend.Login login = active.clientLogin();
        return switch (session.identity) {
            case Identity.Anonymous _ -> server.equals(loop.servesStrangers);
            case Identity.Named named -> login != null && named.isCalled(login.user());
            case Identity.Eden _ -> false;
        };
    }

    private boolean chosen(CommandSpec spec, double share) {
        int threshold = (int) Math.round(share * WHOLE);
        if (client.request().count() == 2 || spec.lastKey() == 1) {
            ByteBuf in = client.buffer();
            return slot(
                            in,
                            in.readerIndex() + client.request().offset(1),
                            client.request().argumentLength(1))
                    < threshold;
        }
        Optional<List<byte[]>> keys = spec.keys(client.arguments());
        return keys.isPresent() && !keys.get().isEmpty() && keys.get().stream().allMatch(key -> slot(key) < threshold);
    }

    private static int slot(ByteBuf in, int offset, int length) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < length; i++) {
            hash = (hash ^ (in.getByte(offset + i) & 0xff)) * 0x100000001b3L;
        }
        return mix(hash);
    }

    private static int slot(byte[] key) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : key) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return mix(hash);
    }

    private static int mix(long hash) {
        long mixed = (hash ^ (hash >>> 32)) * 0x9E3779B97F4A7C15L;
        return (int) Long.remainderUnsigned(mixed ^ (mixed >>> 29), WHOLE);
    }

    /** Sends the read at hand to the standby; false when that can't be done now and the active server should serve it. */
    boolean send() {
        ServerAddress standby = loop.gate.standby();
        if (standby == null) {
            return false;
        }
        BackendPool pool = loop.pool(new PoolKey(standby, Identity.EDEN, session.database, session.protocol));
        BackendConnection connection = pool.pick();
        if (connection == null
                || !connection.writable()
                || !loop.context.freshness().knows(connection.connectedAt)) {
            pool.warm();
            loop.traffic.ineligible.merge("standby_unavailable", 1L, Long::sum);
            return false;
        }
        ByteBuf in = client.buffer();
        client.forward(
                connection,
                new StandbyRead(connection, in.retainedSlice(in.readerIndex(), client.requestLength()), loop.now));
        return true;
    }

    private final class StandbyRead implements ReplyTarget {
        private final BackendConnection connection;
        private final ByteBuf request;
        private final long sent;

        StandbyRead(BackendConnection connection, ByteBuf request, long sent) {
            this.connection = connection;
            this.request = request;
            this.sent = sent;
        }

        @Override
        public void reply(ByteBuf frame) {
            byte type = frame.getByte(frame.readerIndex());
            session.count(connection, sent, loop.now, type);
            if (type == '-' || type == '!') {
                frame.release();
                again();
                return;
            }
            loop.counters.servedByStandby++;
            request.release();
            client.output(frame);
            client.finished();
        }

        @Override
        public void lost() {
            again();
        }

        /** Reads are safe to repeat: the active server serves it. */
        private void again() {
            loop.traffic.ineligible.merge("standby_error", 1L, Long::sum);
            if (client.isClosed()) {
                request.release();
            } else {
                sourceNext = true;
                client.again(request);
            }
            client.finished();
            loop.wake(client);
        }
    }
}
