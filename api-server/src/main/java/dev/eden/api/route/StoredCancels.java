package dev.eden.api.route;

import dev.eden.proxy.CancelKey;
import dev.eden.proxy.RouteStore.CancelAnswer;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jdbi.v3.core.Jdbi;

/**
 * Requests to cancel on their way from the proxy that got them to the one whose client they are for: a row each, which either the other takes
 * or the asker takes back, so that none strikes after its asker has stopped waiting. Thread-safe; blocks on the network.
 */
final class StoredCancels {
    private static final String CHANNEL = "eden_cancel";
    private static final long LOOK_MILLIS = 5;
    /** For somebody to take it; a key that nobody knows keeps its sender waiting as long. */
    private static final long TAKEN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long DONE_NANOS = TimeUnit.SECONDS.toNanos(12);

    private final Jdbi jdbi;
    private final StoreChanges changes;

    StoredCancels(Jdbi jdbi, StoreChanges changes) {
        this.jdbi = jdbi;
        this.changes = changes;
    }

    void ask(String interlay, CancelKey key) {
        long id = jdbi.inTransaction(h -> {
            h.execute("DELETE FROM cancel WHERE asked_at < clock_timestamp() - interval '1 minute'");
            long made = h.createUpdate("INSERT INTO cancel (interlay, pid, digest) VALUES (:interlay, :pid, :digest)")
                    .bind("interlay", interlay)
                    .bind("pid", key.pid())
                    .bind("digest", key.digest())
                    .executeAndReturnGeneratedKeys("id")
                    .mapTo(Long.class)
                    .one();
            h.createQuery("SELECT pg_notify(:channel, :payload)")
                    .bind("channel", CHANNEL)
                    .bind("payload", made + " " + key.pid() + " " + key.digest() + " " + interlay)
                    .map((_, _) -> true)
                    .one();
            return made;
        });
        long began = System.nanoTime();
        boolean asking = true;
        while (asking) {
            pause();
            long waited = System.nanoTime() - began;
            Optional<String> state = state(id);
            asking = !state.equals(Optional.of("DONE"))
                    && waited < DONE_NANOS
                    && (waited < TAKEN_NANOS || !change(id, "ASKED", "DONE"));
        }
        jdbi.useHandle(h -> h.execute("DELETE FROM cancel WHERE id = ?", id));
    }

    private Optional<String> state(long id) {
        return jdbi.withHandle(h -> h.createQuery("SELECT state FROM cancel WHERE id = :id")
                .bind("id", id)
                .mapTo(String.class)
                .findOne());
    }

    private boolean change(long id, String from, String to) {
        return jdbi.withHandle(h -> h.execute("UPDATE cancel SET state = ? WHERE id = ? AND state = ?", to, id, from))
                == 1;
    }

    /** Answers whoever asks for {@code interlay}; the result stops that. */
    Runnable answer(String interlay, CancelAnswer answer) {
        return changes.listen((channel, payload) -> {
            String[] parts = payload.split(" ", 4);
            if (channel.equals(CHANNEL) && parts.length == 4 && parts[3].equals(interlay)) {
                long id = Long.parseLong(parts[0]);
                CancelKey key = new CancelKey(Integer.parseInt(parts[1]), parts[2]);
                Thread.ofVirtual().name("eden-cancel").start(() -> {
                    if (answer.cancel(key, () -> change(id, "ASKED", "TAKEN"))) {
                        change(id, "TAKEN", "DONE");
                    }
                });
            }
        });
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
