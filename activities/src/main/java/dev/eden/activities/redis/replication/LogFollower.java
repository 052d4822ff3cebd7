package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.proxy.redis.CommandTable;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the log into the queue; takes a cut link up again where it was, and says when the log does not reach back so far any more. */
final class LogFollower implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(LogFollower.class);
    private static final long RETRY_MILLIS = 100;

    private final Sides sides;
    private final UnitQueue queue;
    private final Consumer<String> onNewReplid;
    private final Consumer<Ending> onEnd;
    private final Runnable onRead;
    private final StreamEffects effects;
    private final TtlFilter filter;
    private final StreamReader reader;
    private volatile @Nullable ReplicaLink link;
    private volatile boolean closed;
    private volatile @Nullable ExpiryScan scan;
    private String replid;
    private boolean told;

    /**
     * {@code first}: a link that stands at the marker's offset already, or null; {@code onRead} is
     * called for everything that comes: be quick.
     */
    LogFollower(
            Sides sides,
            AppliedMarker marker,
            @Nullable ReplicaLink first,
            UnitQueue queue,
            TtlFilter filter,
            Consumer<String> onNewReplid,
            Consumer<Ending> onEnd,
            Runnable onRead) {
        this.sides = sides;
        this.queue = queue;
        this.filter = filter;
        this.onNewReplid = onNewReplid;
        this.onEnd = onEnd;
        this.onRead = onRead;
        this.effects = new StreamEffects(CommandTable.bundled(), filter);
        this.reader = new StreamReader(effects, marker.offset(), marker.offsetDatabase());
        this.link = first;
        this.replid = marker.replid();
    }

    /** Nothing is known about expiries until the scan has ended and the log has reached its end. */
    void rebuildFilterBy(ExpiryScan running) {
        scan = running;
    }

    /** What the followed side shows as its replica's progress. */
    void acknowledge(long offset) {
        ReplicaLink open = link;
        if (open != null) {
            try {
                open.acknowledge(offset);
            } catch (RedisConnectionException e) {
                LOGGER.atDebug().setCause(e).log("not acknowledged");
            }
        }
    }

    /** The reader's thread. */
    void run() {
        while (!closed) {
            try {
                learn();
                follow(open());
            } catch (LogLostException e) {
                onEnd.accept(new Ending.LogLost(String.valueOf(e.getMessage())));
                return;
            } catch (IOException | RedisConnectionException | RedisException e) {
                cut(e);
            } catch (InterruptedException e) {
                return;
            } catch (ReplicationStopped e) {
                onEnd.accept(new Ending.Stopped(String.valueOf(e.getMessage())));
                return;
            } catch (RuntimeException e) {
                // Eden's store away, or this generation being interrupted: the next one goes on from the marker.
                LOGGER.atWarn()
                        .addKeyValue("migration", sides.migration())
                        .setCause(e)
                        .log("the log can't be read now");
                onEnd.accept(new Ending.Interrupted("the log can't be read now: " + e.getMessage()));
                return;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        ReplicaLink open = link;
        if (open != null) {
            open.close();
        }
    }

    /** Nothing is read before. Where the server does not tell now, the link stays: a load's own stands where no other may begin any more. */
    private void learn() throws InterruptedException {
        while (!told && !closed) {
            try {
                effects.readBy(sides.commands());
                told = true;
            } catch (RedisConnectionException | RedisException e) {
                LOGGER.atWarn()
                        .addKeyValue("migration", sides.migration())
                        .addKeyValue("endpoint", sides.from().id())
                        .log("the commands of its log are not told now: {}", e.getMessage());
                TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
            }
        }
    }

    private ReplicaLink open() throws IOException {
        ReplicaLink open = link;
        if (open != null) {
            return open;
        }
        open = sides.connectLink();
        link = open;
        if (closed) {
            throw new IOException("closed while it connected");
        }
        switch (open.psync(replid, reader.offset())) {
            case ReplicaLink.Start.Full _ ->
                throw new LogLostException(
                        "the log of " + sides.from().id() + " does not reach back to " + reader.offset() + " any more");
            case ReplicaLink.Start.Partial partial -> {
                if (!partial.replid().equals(replid)) {
                    replid = partial.replid();
                    onNewReplid.accept(replid);
                }
            }
        }
        return open;
    }

    private void follow(ReplicaLink open) throws IOException, InterruptedException {
        while (!closed) {
            queue.put(reader.next(open));
            onRead.run();
            ExpiryScan running = scan;
            if (running != null && running.endedBefore(reader.offset())) {
                scan = null;
                if (!effects.databasesSwapped()) {
                    filter.desaturate();
                }
            }
        }
    }

    private void cut(Exception why) {
        ReplicaLink broken = link;
        link = null;
        if (broken != null) {
            broken.close();
        }
        if (closed) {
            return;
        }
        LOGGER.atWarn()
                .addKeyValue("migration", sides.migration())
                .addKeyValue("endpoint", sides.from().id())
                .log("link to the log was cut: {}", why.getMessage());
        try {
            TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
        } catch (InterruptedException e) {
            closed = true;
        }
    }
}
