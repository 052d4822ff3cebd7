package dev.eden.activities.cutover;

import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Acknowledgement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The clients that hear without asking (LISTEN): after the commit, nobody may write on the new owner before they listen there. Whoever opens
 * the route waits for them here. A proxy that is too late ends its listeners' sessions itself.
 */
final class Listeners {
    /** For the listeners of proxies that are slow or gone, the rest of the clients waits no longer than this. */
    private static final Duration PATIENCE = Duration.ofMillis(500);

    private Listeners() {}

    /**
     * Returns when all proxies that said that they have listeners have said that they carried them over, or after half a second.
     *
     * @return false where there was nothing to wait for
     */
    static boolean awaitCarried(RouteLedger routes, long attempt) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        boolean waited = false;
        while (true) {
            long mark = routes.changeMark();
            List<Acknowledgement> said = routes.acknowledgements(attempt);
            Set<String> missing = new HashSet<>(DrainReport.of(said).listeners());
            for (Acknowledgement one : said) {
                if (one.step().equals("CARRIED")) {
                    waited |= missing.remove(one.proxy() + "/" + one.interlay());
                }
            }
            long left = end - System.nanoTime();
            if (missing.isEmpty() || left <= 0) {
                return waited || !missing.isEmpty();
            }
            routes.awaitChange(mark, Duration.ofNanos(left));
        }
    }
}
