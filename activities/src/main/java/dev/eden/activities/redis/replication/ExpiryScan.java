package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * After a resume: which keys of the followed side have an expiry, so that not every key has to be suspected for ever.
 *
 * <p>Why that is enough once the log has been read up to where the scan ended: a key with an expiry either had it during the whole scan (SCAN
 * returns what is there from its beginning to its end), or got it, by its own command or with RENAME, COPY or MOVE, after the
 * resume: then the log's reader has added it. A key that lost its expiry before did so in the part that is read with everything suspected.
 * SWAPDB may hide keys from the scan: then the filter stays as it is.
 */
final class ExpiryScan implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ExpiryScan.class);
    private static final int PAGE = 500;

    private final Sides sides;
    private final TtlFilter filter;
    private final Thread thread;
    private volatile boolean closed;
    private volatile long ended = Long.MAX_VALUE;

    ExpiryScan(Sides sides, TtlFilter filter) {
        this.sides = sides;
        this.filter = filter;
        this.thread =
                Thread.ofVirtual().name("eden-expiries-" + sides.migration()).start(this::run);
    }

    /** True when the scan was over at this offset of the log. */
    boolean endedBefore(long offset) {
        return ended <= offset;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void run() {
        try (RespConnection from = sides.connectFrom("expiries")) {
            for (int database :
                    ServerInfo.read(from, "keyspace").keysByDatabase().keySet()) {
                from.call("SELECT", database);
                scan(from);
            }
            ended = SourceReads.position(from.call("INFO", "replication").text())
                    .offset();
        } catch (RuntimeException e) {
            // a server or the store is away, or this was closed while it waited for one of them
            if (!closed) {
                LOGGER.atWarn()
                        .addKeyValue("migration", sides.migration())
                        .log("expiries were not scanned, every key stays suspected: {}", e.getMessage());
            }
        } catch (InterruptedException e) {
            LOGGER.atDebug().log("scan of expiries cancelled");
        }
    }

    private void scan(RespConnection from) throws InterruptedException {
        String cursor = "0";
        do {
            List<Reply> page = from.call("SCAN", cursor, "COUNT", PAGE).items();
            cursor = page.get(0).text();
            List<Reply> keys = page.get(1).items();
            keys.forEach(key -> from.send("PTTL", key.bytes()));
            from.flush();
            for (Reply key : keys) {
                if (from.read().number() >= 0) {
                    filter.add(key.bytes());
                }
            }
            // A background scan: the server's clients come first.
            TimeUnit.MILLISECONDS.sleep(1);
        } while (!closed && !cursor.equals("0"));
        if (closed) {
            throw new InterruptedException("closed");
        }
    }
}
