package dev.eden.activities.migration;

import dev.eden.activities.cleanup.CleanupIncomplete;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.LostAttempts;
import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import dev.eden.activities.redis.cleanup.RedisCleanup;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.CleanupActivities;
import dev.eden.workflows.activity.Failures;
import io.temporal.failure.ApplicationFailure;
import java.util.Optional;

/** The routes first, so that no proxy uses a user of Eden's any more when it goes. */
public final class MigrationCleanup implements CleanupActivities {
    private final RouteLedger routes;
    private final AttemptSettler settler;
    private final LostAttempts lost;
    private final RedisCleanup redis;
    private final PostgresCleanup postgres;

    public MigrationCleanup(
            RouteLedger routes,
            AttemptSettler settler,
            LostAttempts lost,
            RedisCleanup redis,
            PostgresCleanup postgres) {
        this.routes = routes;
        this.settler = settler;
        this.lost = lost;
        this.redis = redis;
        this.postgres = postgres;
    }

    @Override
    public void cleanUp(CleanupRequest request) {
        MigrationSpec spec = request.spec();
        String owner = request.completed() ? spec.target() : spec.source();
        String other = request.completed() ? spec.source() : spec.target();
        Optional<Routes> attached = routes.read(spec.id());
        if (attached.isPresent()) {
            Routes row = settler.settleUntilStable(spec.id());
            if (!row.active().equals(owner)) {
                throw foreign(row.active(), owner);
            }
            lost.tell(spec.id());
            routes.detach(spec.id());
        } else if (routes.resting(spec.interlays()).filter(other::equals).isPresent()) {
            // Detached by a cleanup in the other direction: what is Eden's there is what clients use.
            throw foreign(other, owner);
        }
        try {
            switch (Engine.of(spec)) {
                case REDIS -> redis.cleanUp(spec, request.completed(), request.emptyTarget());
                case POSTGRES -> postgres.cleanUp(spec, request.completed(), request.emptyTarget());
            }
        } catch (CleanupIncomplete e) {
            throw ApplicationFailure.newFailure(String.valueOf(e.getMessage()), Failures.CLEANUP_INCOMPLETE);
        }
    }

    private static ApplicationFailure foreign(String active, String owner) {
        return ApplicationFailure.newNonRetryableFailure(
                "writes are with " + active + ", cleaning up would give them to " + owner,
                Failures.PRECONDITION_FAILED);
    }
}
