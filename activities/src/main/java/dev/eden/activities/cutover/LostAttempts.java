package dev.eden.activities.cutover;

import dev.eden.activities.cutover.AttemptReport.ProxyTimes;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Acknowledgement;
import dev.eden.activities.store.RouteLedger.Untold;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of attempts whose coordinator is gone and that others have finished or taken back, from what they left in the store. One entry
 * per attempt however many tell of it; a coordinator that was only slow puts its own, which knows more, in the place of this one.
 */
public final class LostAttempts {
    private static final Logger LOGGER = LoggerFactory.getLogger(LostAttempts.class);
    /** Longer than a coordinator that lives needs from the end of the pause to its report. */
    private static final Duration RESTED = Duration.ofSeconds(10);

    private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(2);

    private final RouteLedger routes;

    public LostAttempts(RouteLedger routes) {
        this.routes = routes;
    }

    /** All whose routes have been at rest for long enough that their coordinators would have told. */
    public void sweep() {
        routes.untold(RESTED).forEach(lost -> tell(lost, Duration.ZERO));
    }

    /** Those of a migration whose coordinators are known to be gone, at once; the last one, if there was any. */
    public Optional<AttemptReport> tell(String migration) {
        return routes.untold(Duration.ZERO).stream()
                .filter(lost -> lost.migration().equals(migration))
                .map(lost -> tell(lost, OPEN_TIMEOUT))
                .reduce((_, last) -> last);
    }

    private AttemptReport tell(Untold lost, Duration patience) {
        List<Acknowledgement> said = lost.current() ? opened(lost.attempt(), patience) : List.of();
        List<ProxyTimes> proxies = AttemptLog.proxies(said);
        long held = lost.heldMicros();
        long opened = held == 0 ? 0 : openedMicros(proxies);
        AttemptReport report = new AttemptReport(
                lost.attempt(),
                lost.number(),
                lost.migration(),
                lost.direction(),
                lost.epoch(),
                lost.committed() ? "committed" : "aborted",
                lost.committed() ? List.of() : blockers(lost.reason()),
                held,
                opened,
                pause(lost, held, opened, proxies),
                List.of(),
                proxies,
                List.of(),
                true);
        routes.saveReportOfLost(report.attempt(), report.outcome(), report.json());
        AttemptLog.ended(LOGGER, report, "cutover attempt ended without its coordinator");
        return report;
    }

    private static List<String> blockers(@Nullable String reason) {
        List<String> blockers = new ArrayList<>(List.of("the attempt's coordinator was lost before the commit"));
        if (reason != null && !reason.equals(AttemptSettler.REASON)) {
            blockers.add(reason);
        }
        return blockers;
    }

    /** What the proxies have said, once all that were armed have opened. */
    private List<Acknowledgement> opened(long attempt, Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            long mark = routes.changeMark();
            List<Acknowledgement> said = routes.acknowledgements(attempt);
            long left = end - System.nanoTime();
            if (left <= 0 || AttemptLog.proxies(said).stream().allMatch(LostAttempts::hasOpened)) {
                return said;
            }
            routes.awaitChange(mark, Duration.ofNanos(left));
        }
    }

    private static boolean hasOpened(ProxyTimes proxy) {
        return proxy.acknowledgedAtMicros().containsKey("OPENED");
    }

    /** 0 where one has not said that it opened: its clients may have waited for longer than all others. */
    private static long openedMicros(List<ProxyTimes> proxies) {
        return proxies.stream().allMatch(LostAttempts::hasOpened)
                ? proxies.stream()
                        .mapToLong(proxy -> proxy.acknowledgedAtMicros().getOrDefault("OPENED", 0L))
                        .max()
                        .orElse(0)
                : 0;
    }

    private static @Nullable Long pause(Untold lost, long held, long opened, List<ProxyTimes> proxies) {
        if (held > 0 && opened >= held) {
            return opened - held;
        }
        boolean neverHeld = lost.current()
                && !lost.committed()
                && held == 0
                && proxies.stream()
                        .noneMatch(proxy -> proxy.acknowledgedAtMicros().containsKey("DRAINED"));
        return neverHeld ? 0L : null;
    }
}
