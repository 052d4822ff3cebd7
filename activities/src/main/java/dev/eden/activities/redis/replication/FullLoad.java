package dev.eden.activities.redis.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.proxy.Failpoints;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;

/**
 * Writes an RDB, as it is read, to the target: {@code RESTORE key ttl payload REPLACE ABSTTL} in pipelines over several connections, a
 * key's connection chosen by its hash. The payload is the RDB's own bytes with version and checksum behind them.
 *
 * <p>Memory: the reader's window (at least 256 KiB, at most one value's limit) and {@link #MEMORY} of chunks that were not answered yet; a
 * single larger value is sent alone.
 */
final class FullLoad implements RdbHandler, AutoCloseable {
    private static final int CHUNK = 128 << 10;
    private static final int SMALLEST_BUFFER = 4 << 10;
    private static final int PERMIT = 1 << 10;
    private static final int MEMORY = 64 << 20;

    private final TtlFilter filter;
    private final boolean keepExisting;
    /** Grows as more are asked for; a lane that is no longer asked for gets nothing new. */
    private final List<RestoreLane> lanes = new CopyOnWriteArrayList<>();

    private final int laneCount;
    private final IntFunction<RespConnection> connections;
    private final CopyPace pace;
    private final String threadName;
    private final Filling[] filling = new Filling[CopyPace.MOST_LANES];
    private final Semaphore memory = new Semaphore(MEMORY / PERMIT);
    private final LongAdder keysDone = new LongAdder();
    private final LongAdder conflicts = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private int version;
    private volatile boolean closed;

    /**
     * {@code laneCount}: unless {@code pace} says otherwise. {@code keepExisting}: without REPLACE; keys that exist are counted as
     * conflicts. {@code connections}: the lane's number → a connection.
     */
    FullLoad(
            int laneCount,
            IntFunction<RespConnection> connections,
            CopyPace pace,
            TtlFilter filter,
            boolean keepExisting,
            String threadName) {
        this.filter = filter;
        this.keepExisting = keepExisting;
        this.laneCount = laneCount;
        this.connections = connections;
        this.pace = pace;
        this.threadName = threadName;
        for (int i = 0; i < filling.length; i++) {
            filling[i] = new Filling();
        }
        connect(pace.lanes(laneCount) - 1);
    }

    /** The lane, with all before it. */
    private RestoreLane connect(int number) {
        while (lanes.size() <= number) {
            int next = lanes.size();
            RestoreLane lane = new RestoreLane(
                    connections.apply(next), memory, keysDone, conflicts, keepExisting, threadName + "-" + next);
            lanes.add(lane);
            if (closed) {
                lane.close();
            }
        }
        return lanes.get(number);
    }

    private static final class Filling {
        RespBuffer buffer = new RespBuffer(SMALLEST_BUFFER);
        int commands;
        int keys;

        /** The connection's database; -1: the one chosen last is unknown. */
        int database;
    }

    long keysDone() {
        return keysDone.sum();
    }

    long conflicts() {
        return conflicts.sum();
    }

    long bytes() {
        return bytes.sum();
    }

    @Override
    public void version(int rdbVersion) {
        version = rdbVersion;
    }

    @Override
    public void auxiliary(String name, String value) {
        // Nothing here that the target needs.
    }

    @Override
    public void function(byte[] code) throws IOException {
        Filling target = filling[0];
        target.buffer.command("FUNCTION", "LOAD", "REPLACE", code);
        target.commands++;
        dispatchIfFull(0);
    }

    @Override
    public void entry(int database, byte[] key, long expireAtMillis, int type, byte[] source, int from, int length)
            throws IOException {
        Failpoints.reach("load.key");
        if (ReplicationLedger.reserves(key)) {
            return;
        }
        if (expireAtMillis >= 0) {
            filter.add(key);
        }
        int lane = lane(key);
        Filling target = filling[lane];
        RespBuffer buffer = target.buffer;
        if (target.database != database) {
            buffer.command("SELECT", database);
            target.commands++;
            target.database = database;
        }
        long expiry = Math.max(0, expireAtMillis);
        buffer.array(keepExisting ? 5 : 6).bulk("RESTORE").bulk(key, 0, key.length);
        buffer.bulkHeader(RespBuffer.digits(expiry)).decimal(expiry).crlf();
        buffer.bulkHeader(1 + length + 10).put(type).raw(source, from, length).littleEndian(version, 2);
        long crc = Crc64.update(0, (byte) type);
        crc = Crc64.update(crc, source, from, from + length);
        crc = Crc64.update(crc, (byte) version);
        crc = Crc64.update(crc, (byte) (version >>> 8));
        buffer.littleEndian(crc, 8).crlf().bulk("ABSTTL");
        if (!keepExisting) {
            buffer.bulk("REPLACE");
        }
        target.commands++;
        target.keys++;
        dispatchIfFull(lane);
    }

    /** Sends the rest and waits until everything was answered. */
    void finish() throws InterruptedException {
        for (int lane = 0; lane < filling.length; lane++) {
            dispatch(lane);
        }
        for (RestoreLane lane : lanes) {
            lane.finish();
        }
    }

    @Override
    public void close() {
        closed = true;
        lanes.forEach(RestoreLane::close);
    }

    private void dispatchIfFull(int lane) throws IOException {
        if (filling[lane].buffer.size() >= CHUNK || filling[lane].keys >= pace.batch(Integer.MAX_VALUE)) {
            try {
                dispatch(lane);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    private void dispatch(int lane) throws InterruptedException {
        Filling full = filling[lane];
        if (full.commands == 0) {
            return;
        }
        pace.pay(full.buffer.size(), () -> lanes.forEach(RestoreLane::check));
        int permits = Math.min(MEMORY / PERMIT, full.buffer.size() / PERMIT + 1);
        while (!memory.tryAcquire(permits, 50, java.util.concurrent.TimeUnit.MILLISECONDS)) {
            lanes.forEach(RestoreLane::check);
        }
        bytes.add(full.buffer.size());
        connect(lane).put(new RestoreLane.Chunk(full.buffer, full.commands, full.keys, permits));
        Filling next = new Filling();
        next.buffer = new RespBuffer(CHUNK + CHUNK / 4);
        next.database = full.database;
        filling[lane] = next;
    }

    private int lane(byte[] key) {
        int hash = 0;
        for (byte b : key) {
            hash = 31 * hash + b;
        }
        return Integer.remainderUnsigned(hash * 0x9e3779b9 >>> 7, pace.lanes(laneCount));
    }
}
