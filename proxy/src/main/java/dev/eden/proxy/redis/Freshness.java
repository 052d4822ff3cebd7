package dev.eden.proxy.redis;

import dev.eden.proxy.CanaryPolicy;
import dev.eden.proxy.Route;
import dev.eden.proxy.resp.RespValue;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How far the standby has come, as a moment: everything that the active server had acknowledged by {@link #asOf} is on the standby. About every
 * millisecond the active server's offset is noted with the time <em>before</em> it was asked, and the position that the applier keeps on the
 * standby tells which of these moments have been reached. Runs on one loop, only while somebody needs it; {@link #asOf} may be read anywhere.
 */
final class Freshness {
    private static final long NEVER = Long.MIN_VALUE;
    private static final int SAMPLES = 4096;
    private static final long SEEN_WITHIN = CanaryPolicy.SEEN_WITHIN.toNanos();

    private final ProxyLoop loop;
    private final Deque<long[]> samples = new ArrayDeque<>();
    private volatile Known known = Known.NOTHING;
    /** The last position seen on the standby; -1 when none. */
    private long applied = -1;

    private @Nullable String replid;
    private @Nullable Route route;
    private boolean running;
    private int outstanding;

    /**
     * Everything acknowledged by {@code asOf} is on the standby, which said so when it was asked at {@code seenAt}, and first at {@code advancedAt};
     * {@link System#nanoTime}.
     */
    private record Known(long asOf, long seenAt, long advancedAt) {
        static final Known NOTHING = new Known(NEVER, NEVER, NEVER);
    }

    Freshness(ProxyLoop loop) {
        this.loop = loop;
    }

    /** A {@link System#nanoTime}; compare by difference. Far in the past when nothing is known. */
    boolean covers(long moment) {
        long asOf = known.asOf();
        return asOf != NEVER && asOf - moment > 0;
    }

    /**
     * False for a connection younger than what is known: it could be to a standby that has restarted since, empty. And where it is known for too long
     * already: the standby could have been emptied since.
     */
    boolean knows(long connectedAt) {
        Known now = known;
        return now.asOf() != NEVER && now.seenAt() - connectedAt > 0 && System.nanoTime() - now.seenAt() < SEEN_WITHIN;
    }

    /** Whether the standby has come on since then; one that is up with the active server does all the time. */
    boolean advancedSince(long moment) {
        Known now = known;
        return now.asOf() != NEVER && now.advancedAt() - moment > 0;
    }

    /** On the loop: follow this route; sampling starts or stops by it. */
    void follow(Route next) {
        Route before = route;
        route = next;
        if (before == null
                || before.epoch() != next.epoch()
                || !Objects.equals(before.active(), next.active())
                || !Objects.equals(before.standby(), next.standby())) {
            replid = null;
            forget();
        }
        if (needed() && !running) {
            running = true;
            sample();
        }
    }

    private boolean needed() {
        Route now = route;
        return now != null
                && now.appliedKey() != null
                && now.active() != null
                && now.standby() != null
                && (now.canary().readShare() > 0 || now.ackBoth());
    }

    private void sample() {
        if (!needed()) {
            running = false;
            forget();
            return;
        }
        loop.eventLoop.schedule(this::sample, 1, TimeUnit.MILLISECONDS);
        Route now = route;
        ServerAddress active = loop.gate.active();
        ServerAddress standby = loop.gate.standby();
        if (outstanding > 0 || now == null || active == null || standby == null || now.appliedKey() == null) {
            return;
        }
        long epoch = now.epoch();
        long asked = System.nanoTime();
        ask(active, List.of("INFO", "replication"), answer -> {
            if (isCurrent(epoch) && answer != null) {
                note(asked, answer.text());
            }
        });
        ask(standby, List.of("HMGET", now.appliedKey(), "replid", "offset"), answer -> {
            if (isCurrent(epoch)) {
                reached(asked, answer == null ? List.of() : answer.items());
            }
        });
    }

    private boolean isCurrent(long epoch) {
        Route now = route;
        return now != null && now.epoch() == epoch;
    }

    /** What it knows may have been true of another life of the standby. */
    private void forget() {
        known = Known.NOTHING;
        applied = -1;
        samples.clear();
    }

    /** @param taker gets null where there is no answer */
    private void ask(ServerAddress server, List<String> command, Consumer<@Nullable RespValue> taker) {
        outstanding++;
        loop.pool(new PoolKey(server, Identity.EDEN, 0, 2)).await(false, (connection, _) -> {
            if (connection == null) {
                outstanding--;
                taker.accept(null);
                return;
            }
            ByteBuf out = loop.buffer();
            RespWriter.command(out, command.toArray(String[]::new));
            connection.expect(
                    new ReplyTarget() {
                        @Override
                        public void reply(ByteBuf frame) {
                            outstanding--;
                            try {
                                taker.accept(RespValue.read(frame));
                            } finally {
                                frame.release();
                            }
                        }

                        @Override
                        public void lost() {
                            outstanding--;
                            taker.accept(null);
                        }
                    },
                    0);
            connection.write(out);
        });
    }

    private void note(long asked, String info) {
        String id = field(info, "master_replid:");
        long offset = Ascii.parseLong(field(info, "master_repl_offset:").getBytes(StandardCharsets.US_ASCII));
        if (offset < 0) {
            return;
        }
        if (!id.equals(replid)) {
            samples.clear();
            replid = id;
        }
        long[] last = samples.peekLast();
        if (last != null && last[1] == offset) {
            last[0] = asked; // nothing has been written since
            return;
        }
        if (samples.size() == SAMPLES) {
            samples.removeFirst();
        }
        samples.addLast(new long[] {asked, offset});
    }

    private static String field(String info, String name) {
        int at = info.indexOf(name);
        if (at < 0) {
            return "";
        }
        int end = info.indexOf('\r', at);
        return info.substring(at + name.length(), end < 0 ? info.length() : end);
    }

    /** A position of another log, an earlier one or none: the standby is loaded again or has restarted, and what it had is gone. */
    private void reached(long asked, List<RespValue> fields) {
        boolean same = fields.size() >= 2 && fields.get(0).text().equals(replid);
        long position = same ? Ascii.parseLong(fields.get(1).text().getBytes(StandardCharsets.US_ASCII)) : -1;
        if (position < 0 || position < applied) {
            forget();
            return;
        }
        applied = position;
        long[] newest = null;
        while (!samples.isEmpty() && samples.peekFirst()[1] <= position) {
            newest = samples.removeFirst();
        }
        if (newest != null) {
            samples.addFirst(newest); // it may be confirmed again for a later moment
        }
        Known before = known;
        long asOf = newest == null ? before.asOf() : newest[0];
        known = new Known(asOf, asked, asOf == before.asOf() ? before.advancedAt() : asked);
    }
}
