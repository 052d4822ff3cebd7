package dev.eden.proxy.redis;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long one loop's replies wait for a standby that does not come on: Eden may be dead, or the standby. Once that has been found, nobody waits again
 * until the standby is there.
 */
final class Patience {
    private static final Logger LOGGER = LoggerFactory.getLogger(Patience.class);

    /** Longer than an applier needs to connect again; shorter than the two seconds after which common clients (Jedis) give a server up. */
    private static final long LIMIT = TimeUnit.MILLISECONDS.toNanos(1500);

    private final ProxyLoop loop;
    private boolean over;

    Patience(ProxyLoop loop) {
        this.loop = loop;
    }

    /** Whether a reply that has been kept since {@code since} goes without the standby. */
    boolean over(long since) {
        Freshness freshness = loop.context.freshness();
        long limit = System.nanoTime() - LIMIT;
        if (over && freshness.covers(limit)) {
            over = false;
            LOGGER.info("the standby is there again: replies wait for it");
        } else if (!over && limit - since > 0 && !freshness.advancedSince(limit)) {
            over = true;
            LOGGER.warn("the standby does not come on: replies go by the active server alone until it does");
        }
        return over;
    }
}
