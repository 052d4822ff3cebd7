package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One connection of the full load: whole chunks of RESTORE commands are written while the replies of the chunk before are still on
 * their way. Its thread ends with {@link #finish} or at the first failure.
 */
final class RestoreLane {
    private static final int WAITING = 4;
    private static final int IN_FLIGHT = 2;

    /** A server closes what says nothing for its {@code timeout}; so does what remembers connections on the way there. */
    private static final long SILENT_MILLIS = 500;

    /** Commands ready to be sent. {@code commands} counts the replies to expect, {@code keys} those that are RESTOREs. */
    record Chunk(RespBuffer buffer, int commands, int keys, int permits) {}

    private static final Chunk END = new Chunk(new RespBuffer(0), 0, 0, 0);

    private final RespConnection to;
    private final ReplyScanner replies;
    private final BlockingQueue<Chunk> chunks = new ArrayBlockingQueue<>(WAITING);
    private final ArrayDeque<Chunk> inFlight = new ArrayDeque<>();
    private final Semaphore memory;
    private final LongAdder keysDone;
    private final LongAdder conflicts;
    private final boolean keepExisting;
    private final Thread thread;
    private volatile @Nullable RuntimeException failure;

    RestoreLane(
            RespConnection to,
            Semaphore memory,
            LongAdder keysDone,
            LongAdder conflicts,
            boolean keepExisting,
            String name) {
        this.to = to;
        this.replies = new ReplyScanner(to.input());
        this.memory = memory;
        this.keysDone = keysDone;
        this.conflicts = conflicts;
        this.keepExisting = keepExisting;
        this.thread = Thread.ofPlatform().name(name).daemon().start(this::run);
    }

    /** Hands a chunk over; waits for room. Throws what made the lane fail. */
    void put(Chunk chunk) throws InterruptedException {
        while (!chunks.offer(chunk, 50, TimeUnit.MILLISECONDS)) {
            check();
        }
        check();
    }

    void check() {
        RuntimeException failed = failure;
        if (failed != null) {
            throw failed;
        }
    }

    /** Waits until everything was answered. */
    void finish() throws InterruptedException {
        put(END);
        thread.join();
        check();
    }

    void close() {
        to.close();
        thread.interrupt();
    }

    private void run() {
        try {
            while (true) {
                Chunk chunk = inFlight.isEmpty() ? nextOrPing() : chunks.poll();
                if (chunk == END) {
                    while (!inFlight.isEmpty()) {
                        readReplies(inFlight.remove());
                    }
                    return;
                }
                if (chunk != null) {
                    chunk.buffer().writeTo(to.output());
                    inFlight.add(chunk);
                }
                if (chunk == null || inFlight.size() >= IN_FLIGHT) {
                    readReplies(inFlight.remove());
                }
            }
        } catch (IOException e) {
            failure = new RedisConnectionException("connection to " + to.peer() + " broke: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            failure = new RedisConnectionException("the load was cancelled", e);
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private Chunk nextOrPing() throws InterruptedException {
        Chunk next = chunks.poll(SILENT_MILLIS, TimeUnit.MILLISECONDS);
        if (next != null) {
            return next;
        }
        RespBuffer ping = new RespBuffer(16);
        ping.command("PING");
        return new Chunk(ping, 1, 0, 0);
    }

    private void readReplies(Chunk chunk) throws IOException {
        int refused = 0;
        for (int i = 0; i < chunk.commands(); i++) {
            replies.skip();
            if (replies.isError()) {
                refused += refused(replies.error());
            }
        }
        keysDone.add(chunk.keys() - (long) refused);
        memory.release(chunk.permits());
    }

    private int refused(String error) {
        if (keepExisting && error.startsWith("BUSYKEY")) {
            conflicts.increment();
            return 1;
        }
        throw new ReplicationStopped(
                "the target refused a key of the full load: " + RedisException.withoutArguments(error));
    }
}
