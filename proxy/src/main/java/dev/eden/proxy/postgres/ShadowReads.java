package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks both sides what a client has asked one of them, and compares the rows as a bag. Over connections of its own, one read at a time and a few a
 * second, after the client has its answer or not: no client waits for it. The standby is asked when it has what the active side had answered from; a
 * difference counts when the active side says the same after it as before, twice in a row. What keeps changing is left alone. One per loop.
 */
final class ShadowReads {
    private static final Logger LOGGER = LoggerFactory.getLogger(ShadowReads.class);
    /** Between two reads of clients that are compared. */
    private static final long PAUSE_NANOS = Duration.ofMillis(50).toNanos();

    private static final long LOOK_MILLIS = 2;
    private static final long PATIENCE_NANOS = Duration.ofSeconds(2).toNanos();
    private static final int ROUNDS = 6;
    private static final int CONFIRMED = 2;

    private final PostgresLoop loop;
    private boolean busy;
    private long lastAt;

    ShadowReads(PostgresLoop loop) {
        this.loop = loop;
        this.lastAt = loop.now - PAUSE_NANOS;
    }

    /** A read whose rows both sides must have; maybe it is compared. */
    void offer(ByteBuf in, int start, ReadBatch batch, Settings settings, ServerPool active) {
        if (busy || loop.now - lastAt < PAUSE_NANOS || !StandbyPools.reproducible(active.key)) {
            return;
        }
        StandbyPools.Both both = loop.standbyPools.both(active);
        if (both == null) {
            return;
        }
        busy = true;
        lastAt = loop.now;
        Map<String, String> told = new TreeMap<>();
        for (int i : Canary.TOLD) {
            String value = settings.value(i);
            if (value != null) {
                told.put(Settings.NAMES[i], value);
            }
        }
        new Comparison(both, Settings.statement(told), batch.alone(in, start)).round();
    }

    private final class Comparison {
        private final StandbyPools.Both both;
        private final String settings;
        private final byte[] request;
        private int rounds;
        private int differences;

        Comparison(StandbyPools.Both both, String settings, byte[] request) {
            this.both = both;
            this.settings = settings;
            this.request = request;
        }

        void round() {
            if (++rounds > ROUNDS) {
                loop.counters.shadowUnsettled++;
                busy = false;
                return;
            }
            ask(both.active(), before -> {
                long moment = System.nanoTime();
                whenCovered(
                        moment,
                        moment,
                        () -> ask(both.standby(), there -> {
                            if (there.same(before)) {
                                equal();
                                return;
                            }
                            ask(both.active(), after -> differ(before, there, after));
                        }));
            });
        }

        private void differ(RowBag before, RowBag there, RowBag after) {
            if (there.same(after)) {
                equal();
            } else if (before.same(after) && ++differences >= CONFIRMED) {
                loop.counters.shadowCompared++;
                loop.counters.shadowMismatched++;
                busy = false;
                LOGGER.warn(
                        "a read of user {} has {} rows on the active side and {} on the standby, not the same ones",
                        both.user(),
                        after.rows(),
                        there.rows());
            } else {
                if (!before.same(after)) {
                    differences = 0; // it changes while we look
                }
                round();
            }
        }

        private void equal() {
            loop.counters.shadowCompared++;
            busy = false;
        }

        private void whenCovered(long moment, long since, Runnable then) {
            if (loop.standbySide.covers(moment, moment - PATIENCE_NANOS)) {
                then.run();
            } else if (System.nanoTime() - since > PATIENCE_NANOS) {
                loop.counters.shadowUnsettled++;
                busy = false;
            } else {
                loop.eventLoop.schedule(
                        () -> {
                            loop.tick();
                            whenCovered(moment, since, then);
                            loop.schedule();
                        },
                        LOOK_MILLIS,
                        TimeUnit.MILLISECONDS);
            }
        }

        /** Two exchanges on the pool's only connection; under other settings than the client's rows may differ that are the same. */
        private void ask(ServerPool pool, Consumer<RowBag> then) {
            pool.exchange(settings, told -> {
                if (told.error() == null) {
                    read(pool, then);
                } else {
                    busy = false;
                }
            });
        }

        private void read(ServerPool pool, Consumer<RowBag> then) {
            RowBag bag = new RowBag();
            pool.exchange(new Exchange(Unpooled.wrappedBuffer(request), bag, outcome -> {
                @Nullable ErrorMessage error = outcome.error();
                if (error == null) {
                    then.accept(bag);
                } else {
                    busy = false; // too slow, or the side is not to be had: says nothing about rows
                }
            }));
        }
    }
}
