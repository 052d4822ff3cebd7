package dev.eden.proxy;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Once a second: sums the loops up, feeds the meters and the store. */
final class TrafficReporter implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TrafficReporter.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);

    private final ProxyIdentity identity;
    private final String interlay;
    private final RouteStore store;
    private final DataPlane loops;
    private final RouteFollower follower;
    private final TrafficWindow window = new TrafficWindow();
    private final ProxyMeters meters;
    private final Thread thread;
    private volatile boolean stopping;
    private boolean failing;

    TrafficReporter(
            ProxyIdentity identity,
            String interlay,
            RouteStore store,
            DataPlane loops,
            RouteFollower follower,
            MeterRegistry registry) {
        this.identity = identity;
        this.interlay = interlay;
        this.store = store;
        this.loops = loops;
        this.follower = follower;
        this.meters = new ProxyMeters(registry, identity, interlay, follower);
        this.thread = Thread.ofVirtual().name("eden-traffic").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        while (!stopping) {
            try {
                Thread.sleep(PERIOD);
                LoopSnapshot now = loops.snapshot();
                window.add(now);
                TrafficReport report = window.report();
                meters.update(now, report);
                store.report(identity, interlay, report, follower.health().serving());
                failing = false;
            } catch (InterruptedException e) {
                return;
            } catch (RouteStoreException e) {
                if (!failing) {
                    failing = true;
                    LOGGER.atWarn()
                            .addKeyValue("interlay", interlay)
                            .log("could not report traffic: {}", e.getMessage());
                }
            } catch (RuntimeException e) {
                LOGGER.atError()
                        .addKeyValue("interlay", interlay)
                        .setCause(e)
                        .log("reporting traffic failed; trying again");
            }
        }
    }

    @Override
    public void close() {
        stopping = true;
        thread.interrupt();
        try {
            thread.join(Duration.ofSeconds(2));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        meters.close();
    }
}
