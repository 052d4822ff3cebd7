package dev.eden.proxy.postgres;

import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keys that passwords are derived to, for the logins of one loop. With {@code scram_iterations} in the hundred thousands that takes as long as thousands
 * of requests, so it is done elsewhere, and once.
 */
final class SaltedPasswords {
    private static final int MOST = 256;
    private static final ExecutorService DERIVING = deriving();

    private final EventExecutor loop;
    private final Map<Scram.Salting, byte[]> known = new LinkedHashMap<>(16, 0.75F, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Scram.Salting, byte[]> eldest) {
            return size() > MOST;
        }
    };
    private final Map<Scram.Salting, List<Consumer<byte @Nullable []>>> waiting = new HashMap<>();

    SaltedPasswords(EventExecutor loop) {
        this.loop = loop;
    }

    /** One thread for all loops of the process: whoever logs in may wait, whoever is logged in may not. */
    private static ExecutorService deriving() {
        var executor = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().daemon().name("postgres-keys").factory());
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    /** Null: to be derived first. */
    byte @Nullable [] known(Scram.Salting asked) {
        return known.get(asked);
    }

    /** Calls back on the loop; with null where it cannot be derived (a salt that is none). */
    void derive(Scram.Salting asked, Consumer<byte @Nullable []> then) {
        List<Consumer<byte @Nullable []>> others = waiting.get(asked);
        if (others != null) {
            others.add(then);
            return;
        }
        waiting.put(asked, new ArrayList<>(List.of(then)));
        DERIVING.execute(() -> {
            byte[] derived = derived(asked);
            if (!loop.isShuttingDown()) {
                loop.execute(() -> told(asked, derived));
            }
        });
    }

    private static byte @Nullable [] derived(Scram.Salting asked) {
        try {
            return asked.derive();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private void told(Scram.Salting asked, byte @Nullable [] derived) {
        if (derived != null) {
            known.put(asked, derived);
        }
        List<Consumer<byte @Nullable []>> all = waiting.remove(asked);
        if (all != null) {
            all.forEach(one -> one.accept(derived));
        }
    }
}
