package dev.eden.activities.canary;

import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.activities.store.StageLedger;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.proxy.CanaryPolicy;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.CanaryActivities;
import io.temporal.activity.Activity;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link CanaryActivities} on the route rows: proxies follow the row and report what they served. */
public final class RouteCanary implements CanaryActivities {
    private static final Logger LOGGER = LoggerFactory.getLogger(RouteCanary.class);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final long SAVE_NANOS = Duration.ofSeconds(5).toNanos();

    private final RouteLedger routes;
    private final StageLedger stages;
    private final Clock clock;

    public RouteCanary(RouteLedger routes, StageLedger stages, Clock clock) {
        this.routes = routes;
        this.stages = stages;
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
        String migration = request.spec().id();
        long baked = request.bakedAtMillis();
        @Nullable Counted before = baked > 0 ? stages.counted(migration, baked).orElse(null) : null;
        List<Reported> heard = routes.traffic(migration);
        long saved = System.nanoTime();
        StageWatch watch = new StageWatch(request.spec().gates(), baked, before, heard, saved, clock.millis());
        boolean told = false;
        long differing = 0;
        if (baked > 0 && before == null) {
            stages.save(migration, baked, watch.counted());
        }
        while (true) {
            Activity.getExecutionContext().heartbeat(null);
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
            heard = routes.traffic(migration);
            long now = System.nanoTime();
            Optional<CanaryVerdict> verdict = watch.look(heard, now, clock.millis());
            if (watch.mismatched() > differing) {
                differing = watch.mismatched();
                stages.differ(migration, differing, watch.mismatches());
            }
            if (verdict.isPresent()) {
                if (verdict.get().passed()) {
                    stages.save(migration, baked, watch.counted());
                }
                return verdict.get();
            }
            if (baked > 0 && now - saved > SAVE_NANOS) {
                stages.save(migration, baked, watch.counted());
                saved = now;
                Optional<String> waits = told ? Optional.empty() : watch.waits(clock.millis());
                waits.ifPresent(why -> stages.waits(migration, baked, why));
                told |= waits.isPresent();
            }
        }
    }

    @Override
    public CanaryVerdict watchOwner(CanaryRequest request) {
        String migration = request.spec().id();
        OwnerWatch watch = new OwnerWatch(
                request.spec().gates(), routes.traffic(migration), System.nanoTime(), StageWatch.WINDOW_NANOS);
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
