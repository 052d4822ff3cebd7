package dev.eden.proxy.postgres;

import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.OutageLog;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.RouteStoreException;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The users whose passwords the interlay has been given, as the store had them last. A thread of its own asks once a second: a login looks here
 * without waiting, and the follower, whose reads count inside the pause of a cutover, has nothing to do with it. While the store is away what is
 * known stays; null before the first answer, which is not the same as none.
 */
final class ConfiguredUsers implements Supplier<InterlayUsers>, AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ConfiguredUsers.class);
    private static final Duration PACE = Duration.ofSeconds(1);

    private final OutageLog outage =
            new OutageLog(LOGGER, "the interlay's users cannot be read", "the interlay's users can be read again");
    private final RouteStore store;
    private final String interlay;
    private final Thread thread;
    private volatile InterlayUsers known;

    private ConfiguredUsers(RouteStore store, String interlay, InterlayUsers known) {
        this.known = known;
        this.store = store;
        this.interlay = interlay;
        this.thread = Thread.ofVirtual().name("eden-users-" + interlay).unstarted(this::run);
    }

    /**
     * Has looked once when it returns: the first client is asked as all others are, and nobody is taken for one without a password.
     *
     * @throws RouteStoreException when the store can't be read
     */
    static ConfiguredUsers follow(RouteStore store, String interlay) {
        ConfiguredUsers users = new ConfiguredUsers(store, interlay, store.users(interlay));
        users.thread.start();
        return users;
    }

    @Override
    public InterlayUsers get() {
        return known;
    }

    private void run() {
        try {
            while (!Thread.interrupted()) {
                Thread.sleep(PACE);
                look();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            known = store.users(interlay);
            outage.answered();
        } catch (RouteStoreException e) {
            outage.failed(e);
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
