package dev.eden.api.cli;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;

/** Closes a stream on which nothing was heard for too long: a peer that vanished without a word ends no read by itself. */
final class Watchdog implements AutoCloseable {
    private final Closeable stream;
    private final Thread thread;
    private volatile long heardNanos = System.nanoTime();

    Watchdog(Duration silence, Closeable stream) {
        this.stream = stream;
        this.thread = Thread.ofVirtual().name("silence").start(() -> watch(silence.toNanos()));
    }

    void heard() {
        heardNanos = System.nanoTime();
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void watch(long silence) {
        try {
            for (long left = silence; left > 0; left = silence - (System.nanoTime() - heardNanos)) {
                Thread.sleep(Duration.ofNanos(left));
            }
            stream.close();
        } catch (InterruptedException e) {
            // The stream has ended.
        } catch (IOException e) {
            // It was broken already.
        }
    }
}
