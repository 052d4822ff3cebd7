package dev.eden.demo;

import dev.eden.demo.history.History;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Asks for the status five times a second, for the screen, and notes when reads are shared between the servers: then, and only
 * then, the checker holds a read against its own connection's knowledge alone.
 */
public final class StatusPoller implements AutoCloseable {
    private static final Duration PERIOD = Duration.ofMillis(200);

    private final RestClient rest;
    private final String path;
    private final History history;
    private final Thread thread;
    private volatile @Nullable Status latest;
    private volatile boolean running = true;
    private long sharedSince = -1;
    private long lastSample;

    public StatusPoller(RestClient rest, String migration, History history) {
        this.rest = rest;
        this.path = "/migrations/" + migration + "/status";
        this.history = history;
        this.lastSample = history.now();
        this.thread = Thread.ofVirtual().name("status").start(this::poll);
    }

    public @Nullable Status latest() {
        return latest;
    }

    /** Asks now. */
    public Status now() throws IOException {
        Status status = Status.of(rest.get(path));
        sample(status);
        return status;
    }

    private void poll() {
        while (running) {
            try {
                now();
            } catch (IOException | RestClient.RefusedException away) {
                // The control plane may be away for a while; the screen shows the last status until it is back.
            }
            try {
                Thread.sleep(PERIOD);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private synchronized void sample(Status status) {
        long now = history.now();
        boolean shared = switch (status.phase()) {
            case "canary", "cutting_over", "rolling_back" -> status.shareInForce() > 0;
            default -> false;
        };
        if (shared && sharedSince < 0) {
            sharedSince = lastSample;
        } else if (!shared && sharedSince >= 0) {
            history.sessionOnly(new History.Window(sharedSince, now));
            sharedSince = -1;
        }
        lastSample = now;
        latest = status;
    }

    @Override
    public void close() {
        running = false;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            if (sharedSince >= 0) {
                history.sessionOnly(new History.Window(sharedSince, history.now()));
                sharedSince = -1;
            }
        }
    }
}
