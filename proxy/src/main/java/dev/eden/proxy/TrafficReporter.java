package dev.eden.proxy;

import dev.eden.proxy.redis.LoopGroup;
import dev.eden.proxy.redis.LoopSnapshot;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Once a second: sums the loops up, feeds the meters and the store. */
final class TrafficReporter implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TrafficReporter.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);

    private final RedisProxyConfig config;
    private final RouteStore store;
    private final LoopGroup loops;
    private final TrafficWindow window = new TrafficWindow();
    private final ProxyMeters meters;
    private final Thread thread;
    private volatile boolean stopping;
    private boolean failing;

    TrafficReporter(
            RedisProxyConfig config,
            RouteStore store,
            LoopGroup loops,
            RouteFollower follower,
            MeterRegistry registry) {
        this.config = config;
        this.store = store;
        this.loops = loops;
        this.meters = new ProxyMeters(registry, config, follower);
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
                store.report(config.identity(), config.interlay(), report);
                failing = false;
            } catch (InterruptedException e) {
                return;
            } catch (RouteStoreException e) {
                if (!failing) {
                    failing = true;
                    LOGGER.atWarn()
                            .addKeyValue("interlay", config.interlay())
                            .log("could not report traffic: {}", e.getMessage());
                }
            } catch (RuntimeException e) {
                LOGGER.atError()
                        .addKeyValue("interlay", config.interlay())
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
