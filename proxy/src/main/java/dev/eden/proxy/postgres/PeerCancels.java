package dev.eden.proxy.postgres;

import dev.eden.proxy.CancelKey;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.RouteStoreException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cancel requests that arrive at another proxy of the interlay than the client did: a load balancer sends them anywhere. Through the store, because
 * proxies know no address of one another. The asker's connection stays open until the other has cancelled, so what the client does
 * after it is not cancelled in its place. Thread-safe; never blocks an event loop.
 */
final class PeerCancels implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(PeerCancels.class);
    /** Requests under way at a time; more are dropped, as keys that nobody knows are. */
    private static final int MOST = 32;

    private static final long PATIENCE_SECONDS = 10;

    private final RouteStore store;
    private final String interlay;
    private final Cancels cancels;
    private final Semaphore room = new Semaphore(MOST);
    private final RouteStore.Subscription subscription;

    PeerCancels(RouteStore store, String interlay, Cancels cancels) {
        this.store = store;
        this.interlay = interlay;
        this.cancels = cancels;
        this.subscription = store.cancels(interlay, this::answer);
    }

    /** Asks the other proxies; {@code done} follows on some thread when one has cancelled, or none did. */
    void ask(int pid, byte[] secret, Runnable done) {
        if (!room.tryAcquire()) {
            done.run();
            return;
        }
        CancelKey key = Cancels.told(pid, secret);
        Thread.ofVirtual().name("eden-cancel").start(() -> {
            try {
                store.cancel(interlay, key);
            } catch (RouteStoreException e) {
                LOGGER.atWarn().addKeyValue("interlay", interlay).log("a cancel request got lost: {}", e.getMessage());
            } finally {
                room.release();
                done.run();
            }
        });
    }

    /** Another proxy was shown {@code key}; true: the client is this one's, and what it had under way has been cancelled. */
    private boolean answer(CancelKey key, RouteStore.Claim claim) {
        ClientSession client = cancels.find(key);
        if (client == null || !claim.take()) {
            return false;
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        client.loop.eventLoop.execute(() -> client.cancel(() -> done.complete(null)));
        try {
            done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOGGER.atDebug().log("a cancelled client did not say so in time");
        }
        return true;
    }

    @Override
    public void close() {
        subscription.close();
    }
}
