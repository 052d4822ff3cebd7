package dev.eden.activities.canary;

import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.CanaryPolicy;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.CanaryActivities;
import io.temporal.activity.Activity;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link CanaryActivities} on the route rows: proxies follow the row and report what they served. */
public final class RouteCanary implements CanaryActivities {
    private static final Logger LOGGER = LoggerFactory.getLogger(RouteCanary.class);
    private static final Duration LOOK = Duration.ofMillis(500);
    /** Gates judge windows of this length; a window with too few samples goes on. */
    private static final long WINDOW_NANOS = Duration.ofSeconds(5).toNanos();

    private final RouteLedger routes;
    private final Clock clock;

    public RouteCanary(RouteLedger routes, Clock clock) {
        this.routes = routes;
        this.clock = clock;
    }

    @Override
    public void apply(CanaryRequest request) {
        Strategy strategy = request.strategy();
        CanaryPolicy.Consistency consistency = strategy.consistency().equals("global")
                ? CanaryPolicy.Consistency.GLOBAL
                : CanaryPolicy.Consistency.SESSION;
        boolean both = strategy.writeMode().ack().equals("both");
        routes.canary(
                request.spec().id(),
                new CanaryPolicy(strategy.readPercentage(), consistency, Duration.ofMillis(strategy.maxWaitMs())),
                both);
    }

    @Override
    public CanaryVerdict watch(CanaryRequest request) {
        Gates gates = request.spec().gates();
        String migration = request.spec().id();
        SinceFirstSeen counted = new SinceFirstSeen(routes.traffic(migration));
        CanaryGates.Seen window = CanaryGates.Seen.NOTHING;
        CanaryGates.Seen stage = CanaryGates.Seen.NOTHING;
        long windowStart = System.nanoTime();
        while (true) {
            Activity.getExecutionContext().heartbeat(null);
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
            List<SinceFirstSeen.Step> steps = counted.next(routes.traffic(migration));
            window = window.plus(steps);
            stage = stage.plus(steps);
            Optional<String> breach = CanaryGates.breach(gates, window);
            if (breach.isPresent()) {
                return new CanaryVerdict(true, breach.get());
            }
            if (request.bakedAtMillis() > 0
                    && clock.millis() >= request.bakedAtMillis()
                    && CanaryGates.enough(gates, stage)) {
                // Errors too few for each window may still be too many for the stage.
                Optional<String> overall = CanaryGates.breach(gates, stage);
                return overall.isPresent()
                        ? new CanaryVerdict(true, overall.get())
                        : new CanaryVerdict(false, CanaryGates.numbers(gates, stage), true);
            }
            if (System.nanoTime() - windowStart > WINDOW_NANOS && CanaryGates.enough(gates, window)) {
                window = CanaryGates.Seen.NOTHING;
                windowStart = System.nanoTime();
            }
        }
    }

    @Override
    public CanaryVerdict watchOwner(CanaryRequest request) {
        String migration = request.spec().id();
        OwnerWatch watch =
                new OwnerWatch(request.spec().gates(), routes.traffic(migration), System.nanoTime(), WINDOW_NANOS);
        while (true) {
            Activity.getExecutionContext().heartbeat(null);
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
            Optional<String> breach = watch.look(routes.traffic(migration), System.nanoTime());
            if (breach.isPresent()) {
                LOGGER.atWarn().addKeyValue("migration", migration).log("taking writes back: {}", breach.get());
                return new CanaryVerdict(true, breach.get());
            }
        }
    }
}
