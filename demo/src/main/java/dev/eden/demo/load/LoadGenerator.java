package dev.eden.demo.load;

import dev.eden.demo.history.History;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.HostAndPort;

/** Runs the clients, spread over the addresses, until it is stopped. */
public final class LoadGenerator implements Load {
    private final LoadStats stats = new LoadStats();
    private final List<Thread> threads = new ArrayList<>();
    private final long startedNanos = System.nanoTime();
    private volatile boolean running = true;
    private volatile long stoppedNanos;

    private LoadGenerator() {}

    /** Starts at once. The preload must have been done on the server behind {@code addresses}. */
    public static LoadGenerator start(
            List<HostAndPort> addresses, Keyspace keyspace, LoadOptions options, History history) {
        LoadGenerator generator = new LoadGenerator();
        for (int client = 0; client < options.clients(); client++) {
            LoadClient run = new LoadClient(
                    client,
                    addresses.get(client % addresses.size()),
                    keyspace,
                    options,
                    history.open(client),
                    generator.stats,
                    () -> generator.running);
            // Platform threads: the times they take are the measurement, a shared carrier would add its own queue.
            generator.threads.add(
                    Thread.ofPlatform().daemon().name("load-" + client).start(run));
        }
        return generator;
    }

    @Override
    public LoadStats stats() {
        return stats;
    }

    @Override
    public double seconds() {
        return ((running ? System.nanoTime() : stoppedNanos) - startedNanos) / 1e9;
    }

    @Override
    public void close() {
        if (!running) {
            return;
        }
        running = false;
        stoppedNanos = System.nanoTime();
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (true) {
                try {
                    thread.join();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
