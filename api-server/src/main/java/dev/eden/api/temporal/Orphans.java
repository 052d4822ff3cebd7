package dev.eden.api.temporal;

import dev.eden.api.problem.Problem;
import dev.eden.api.store.MigrationStore;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for migrations that the store believes running and whose workflow Temporal does not know or has closed (terminated by hand, its history
 * lost): nobody moves them, while their routes and fences stand. At the server's start and every minute, unless it is told another time; says so and recovers nothing by itself,
 * because what a person did by hand may have been meant. Any number of servers may look.
 */
public final class Orphans implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Orphans.class);
    private final MigrationStore migrations;
    private final Orchestrator orchestrator;
    private volatile Set<String> known = Set.of();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("orphans").daemon().factory());

    public Orphans(MigrationStore migrations, Orchestrator orchestrator) {
        this.migrations = migrations;
        this.orchestrator = orchestrator;
    }

    /** Looks now, and then every so often; zero: only now. */
    public void start(Duration every) {
        if (every.isZero()) {
            clock.execute(this::look);
        } else {
            clock.scheduleWithFixedDelay(this::look, 0, every.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** How many the last look has found. */
    public int count() {
        return known.size();
    }

    /** What is to be done about a migration the last look has found; asks again, because somebody may have done it since. */
    public boolean orphaned(String migration) {
        try {
            return known.contains(migration) && !orchestrator.runs(migration);
        } catch (Problem away) {
            return true;
        }
    }

    /** One look. While store or Temporal do not answer, what was found before stays. */
    public void look() {
        try {
            Set<String> found = new HashSet<>();
            for (String migration : migrations.running()) {
                if (!orchestrator.runs(migration) && stillRunning(migration)) {
                    found.add(migration);
                }
            }
            Set<String> before = known;
            known = Set.copyOf(found);
            found.stream().filter(migration -> !before.contains(migration)).forEach(this::tell);
        } catch (Problem e) {
            LOGGER.atDebug()
                    .setCause(e)
                    .log("Temporal does not say whether workflows run; asked again at the next look");
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("can't look for orphaned migrations now; looked again next time");
        }
    }

    /** A workflow records its end before it closes: one that had closed by then is no orphan. */
    private boolean stillRunning(String migration) {
        return migrations.running().contains(migration);
    }

    private void tell(String migration) {
        boolean first = migrations.orphaned(migration, remedy(migration));
        if (first) {
            LOGGER.atError().addKeyValue("migration", migration).log("{}", remedy(migration));
        }
    }

    /** For blockers, the audit log and the server's log. */
    public static String remedy(String migration) {
        return "the workflow is gone from Temporal (terminated, or its history lost); nothing moves until: eden migration recover "
                + migration;
    }

    @Override
    public void close() throws InterruptedException {
        clock.shutdownNow();
        clock.awaitTermination(5, TimeUnit.SECONDS);
    }
}
