package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.Route;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one proxy knows of the standby: how far it has come, and what names mean on both sides. Runs on one loop, while the route has reads for
 * the standby; {@link #covers} and {@link #catalogue} may be asked anywhere.
 *
 * <p>How far: the active server's log position is noted with the time <em>before</em> it was asked, so everything acknowledged by then is below
 * it; the standby's position is that of the last commit its apply worker has made. A moment is covered when its position has been reached. The
 * worker moves its position before its commit can be seen, so a position counts once the worker has been seen idle after it, or at a later one.
 */
final class StandbySide {
    private static final Logger LOGGER = LoggerFactory.getLogger(StandbySide.class);
    private static final long NEVER = Long.MIN_VALUE;
    private static final int SAMPLES = 4096;
    private static final long SAMPLE_NANOS = 1_000_000;
    /** A standby that leaves the smallest question unanswered for so long hangs, or cannot be reached any more: TCP alone says so after minutes, or never. */
    private static final long SILENCE_NANOS = Duration.ofSeconds(5).toNanos();

    private static final long CATALOGUE_NANOS = Duration.ofSeconds(10).toNanos();

    private final PostgresLoop loop;
    private final AtomicBoolean wanted = new AtomicBoolean();
    private volatile Known known = Known.nothing(System.nanoTime());
    private volatile ReadCatalogue catalogue = ReadCatalogue.NONE;
    private volatile long catalogueVersion;
    /** How often the standby has been given up for saying nothing. */
    private final AtomicInteger silences = new AtomicInteger();

    private volatile boolean watching;

    private @Nullable Route route;
    private @Nullable Sources sources;

    /**
     * Everything acknowledged by {@code asOf} is on the standby, seen there at {@code seenAt}. Until {@code floor} it may have shown what it has
     * lost since. All of {@link System#nanoTime}.
     */
    private record Known(long asOf, long seenAt, long floor) {
        static Known nothing(long floor) {
            return new Known(NEVER, NEVER, floor);
        }
    }

    StandbySide(PostgresLoop loop) {
        this.loop = loop;
    }

    /**
     * True when a connection to the standby made at {@code connectedAt} answers with everything that was acknowledged by {@code moment}. A
     * connection younger than what is known could be to a standby that has crashed meanwhile and lost its last commits.
     */
    boolean covers(long moment, long connectedAt) {
        Known now = known;
        if (now.asOf != NEVER && now.asOf - moment > 0 && now.asOf - now.floor > 0 && now.seenAt - connectedAt > 0) {
            return true;
        }
        look();
        return false;
    }

    /** Reads are under way there: whether it still speaks is found out. */
    void look() {
        if (wanted.compareAndSet(false, true)) {
            loop.eventLoop.execute(this::sample);
        }
    }

    /** False: nobody looks after it, for no reads are to go there. */
    boolean watching() {
        return watching;
    }

    /** Changes when it has been silent for too long: what is under way there is asked of the active side. */
    int silences() {
        return silences.get();
    }

    /** On the loop, every now and then. */
    void sweep() {
        Sources running = sources;
        if (running != null && running.silent()) {
            LOGGER.warn(
                    "the standby has said nothing for {} s: reads that wait for it go to the active side",
                    SILENCE_NANOS / 1_000_000_000);
            silences.incrementAndGet();
            running.hangUp();
        }
    }

    boolean runsOn(PostgresLoop other) {
        return loop == other;
    }

    ReadCatalogue catalogue() {
        return catalogue;
    }

    /** Changes with the catalogue. */
    long catalogueVersion() {
        return catalogueVersion;
    }

    /** On the loop: follow this route. */
    void follow(Route next) {
        Route before = route;
        route = next;
        Sources running = sources;
        if (running != null
                && (before == null
                        || before.epoch() != next.epoch()
                        || !Objects.equals(before.active(), next.active())
                        || !Objects.equals(before.standby(), next.standby())
                        || !needed(next))) {
            sources = null;
            forget();
            running.close();
        }
        if (sources == null && needed(next)) {
            Sources begun = new Sources(next);
            sources = begun;
            wanted.set(false); // whoever waits asks again
            begun.readCatalogue();
        }
        watching = sources != null;
    }

    private void forget() {
        known = Known.nothing(System.nanoTime());
        catalogue = ReadCatalogue.NONE;
        catalogueVersion++;
    }

    private static boolean needed(Route route) {
        Backend active = route.active();
        Backend standby = route.standby();
        return route.appliedKey() != null
                && active != null
                && standby != null
                && active.edenLogin() != null
                && standby.edenLogin() != null
                && active.database() != null
                && standby.database() != null
                && route.canary().readShare() > 0;
    }

    private void sample() {
        Sources running = sources;
        if (running != null) {
            loop.tick();
            running.sample();
            loop.schedule();
        } else {
            wanted.set(false);
        }
    }

    void close() {
        Sources running = sources;
        sources = null;
        if (running != null) {
            running.close();
        }
    }

    /** Both servers under one route, asked over connections of their own. */
    private final class Sources {
        private final String subscription;
        private final ServerPool active;
        private final ServerPool standby;
        private final ServerPool catalogues;
        private final long[][] samples = new long[SAMPLES][];
        private int first;
        private int count;
        private long reached = -1;
        private long reachedBefore = -1;
        private int outstanding;
        private long sampledAt = loop.now - SAMPLE_NANOS;
        private boolean unanswered;
        private boolean over;
        private boolean complained;
        private String answering = "";

        Sources(Route route) {
            Backend from = Objects.requireNonNull(route.active());
            Backend to = Objects.requireNonNull(route.standby());
            subscription = Objects.requireNonNull(route.appliedKey());
            active = loop.ownPool(from, Objects.requireNonNull(from.edenLogin()), 2);
            standby = loop.ownPool(to, Objects.requireNonNull(to.edenLogin()), 1);
            catalogues = loop.ownPool(to, Objects.requireNonNull(to.edenLogin()), 1);
        }

        void close() {
            over = true;
            active.closeLater();
            standby.closeLater();
            catalogues.closeLater();
        }

        boolean silent() {
            return unanswered && System.nanoTime() - sampledAt > SILENCE_NANOS;
        }

        /** The question fails, and the next one finds out by connecting anew. */
        void hangUp() {
            standby.each(ServerConnection::close);
        }

        void sample() {
            if (outstanding > 0) {
                return; // the answers look again
            }
            long early = sampledAt + SAMPLE_NANOS - System.nanoTime();
            if (early > 0) {
                loop.eventLoop.schedule(StandbySide.this::sample, early, TimeUnit.NANOSECONDS);
                return;
            }
            wanted.set(false);
            outstanding = 2;
            long asked = System.nanoTime();
            sampledAt = asked;
            active.exchange("SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'", outcome -> {
                outstanding--;
                if (!over && outcome.error() == null) {
                    note(asked, number(outcome, 0));
                }
                again();
            });
            unanswered = true;
            standby.exchange(progress(), outcome -> {
                unanswered = false;
                outstanding--;
                if (over) {
                    return;
                }
                if (outcome.error() != null || outcome.rows().size() != 2) {
                    complain(outcome.error());
                    lost();
                } else {
                    String process = String.valueOf(outcome.rows().get(1)[1]);
                    if (!process.equals(answering)) {
                        lost(); // it may have crashed between the two
                        answering = process;
                    }
                    reached(number(outcome, 0), number(outcome, 1) == 0, asked);
                }
                again();
            });
        }

        /** In this order: a worker seen idle has made its last commit visible. */
        private String progress() {
            return "SELECT coalesce((SELECT pg_catalog.pg_replication_origin_progress('pg_' || s.oid, false) - '0/0' FROM pg_catalog.pg_subscription s"
                    + " JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database() AND s.subname = "
                    + Settings.literal(subscription)
                    + "), 0); SELECT pg_catalog.count(*), pg_catalog.pg_backend_pid() FROM pg_catalog.pg_stat_activity"
                    + " WHERE backend_type LIKE 'logical replication%' AND backend_xid IS NOT NULL";
        }

        /** What it has shown so far it may not have any more. */
        private void lost() {
            known = Known.nothing(System.nanoTime());
            reached = -1;
            reachedBefore = -1;
        }

        private void again() {
            if (!over && outstanding == 0 && wanted.get()) {
                sample();
            }
        }

        private static long number(Exchange.Outcome outcome, int row) {
            @Nullable String value = outcome.rows().get(row)[0];
            return value == null ? 0 : Long.parseLong(value);
        }

        private void note(long asked, long position) {
            if (count > 0 && last()[1] == position) {
                last()[0] = asked; // nothing has been written since
                return;
            }
            if (count == SAMPLES) {
                first = (first + 1) % SAMPLES;
                count--;
            }
            samples[(first + count) % SAMPLES] = new long[] {asked, position};
            count++;
        }

        private long[] last() {
            return samples[(first + count - 1) % SAMPLES];
        }

        private void reached(long position, boolean idle, long asked) {
            if (position < reached) {
                lost(); // a crash took the last commits back
            } else if (position > reached) {
                reachedBefore = reached;
            }
            reached = position;
            long visible = idle ? position : reachedBefore;
            long asOf = NEVER;
            while (count > 0 && samples[first][1] <= visible) {
                asOf = samples[first][0];
                if (count == 1) {
                    break; // it may be confirmed again for a later moment
                }
                if (samples[(first + 1) % SAMPLES][1] > visible) {
                    break;
                }
                first = (first + 1) % SAMPLES;
                count--;
            }
            Known before = known;
            long latest = asOf == NEVER || before.asOf != NEVER && before.asOf - asOf > 0 ? before.asOf : asOf;
            known = new Known(latest, asked, before.floor);
        }

        void readCatalogue() {
            if (over) {
                return;
            }
            String query = ReadCatalogue.query(subscription);
            active.exchange(query, here -> {
                if (over) {
                    return;
                }
                catalogues.exchange(query, there -> {
                    if (over) {
                        return;
                    }
                    ErrorMessage error = here.error() == null ? there.error() : here.error();
                    if (error == null) {
                        catalogue = new ReadCatalogue(here.rows(), there.rows());
                        catalogueVersion++;
                    } else {
                        complain(error);
                    }
                    loop.eventLoop.schedule(
                            () -> {
                                loop.tick();
                                readCatalogue();
                                loop.schedule();
                            },
                            CATALOGUE_NANOS,
                            TimeUnit.NANOSECONDS);
                });
            });
        }

        private void complain(@Nullable ErrorMessage error) {
            if (!complained) {
                complained = true;
                LOGGER.warn(
                        "no reads go to the standby: {}",
                        error == null ? "it has no such subscription" : error.sqlState() + " " + error.message());
            }
        }
    }
}
