package dev.eden.demo;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the demo was asked for.
 *
 * @param seconds how long the load runs, from its first request to its last
 * @param deadlineMillis how long an attempt to flip may hold requests before it aborts
 * @param proxiesFrom folder of another build of Eden, whose proxies begin and are replaced while the data moves; null: this build's all the time
 * @param damage how many keys of the target to damage before the validation
 */
record DemoOptions(
        int seconds,
        int keys,
        int clients,
        int rate,
        long seed,
        long deadlineMillis,
        boolean json,
        int damage,
        boolean keep,
        @Nullable Path proxiesFrom) {}
