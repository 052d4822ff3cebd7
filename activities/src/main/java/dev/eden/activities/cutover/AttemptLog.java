package dev.eden.activities.cutover;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.RouteLedger.Acknowledgement;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;

/** Collects an attempt's times while it runs. */
final class AttemptLog {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final String migration;
    private final int number;
    private final String direction;
    private final long epoch;
    private final boolean rehearsal;
    private final List<AttemptReport.Step> steps = new ArrayList<>();
    private final List<String> ended = new ArrayList<>();
    private long attempt;
    private long last = System.nanoTime();
    private long holdNanos;
    private long holdAt;

    AttemptLog(String migration, int number, String direction, long epoch, boolean rehearsal) {
        this.migration = migration;
        this.number = number;
        this.direction = direction;
        this.epoch = epoch;
        this.rehearsal = rehearsal;
    }

    boolean isRehearsal() {
        return rehearsal;
    }

    void attempt(long id) {
        attempt = id;
    }

    void step(String name) {
        long now = System.nanoTime();
        steps.add(new AttemptReport.Step(name, (now - last) / 1_000));
        last = now;
    }

    void ended(List<String> transactions) {
        ended.addAll(transactions);
    }

    void holdBegins() {
        holdNanos = System.nanoTime();
        holdAt = micros();
    }

    AttemptReport refused(List<String> blockers) {
        return report("refused", blockers, 0, List.of());
    }

    AttemptReport aborted(List<String> blockers, List<Acknowledgement> acknowledgements) {
        return report("aborted", blockers, holdNanos == 0 ? 0 : micros(), acknowledgements);
    }

    AttemptReport committed(List<Acknowledgement> acknowledgements) {
        return report("committed", List.of(), opened(acknowledgements), acknowledgements);
    }

    /** Taken back after everything that a cutover does before its commit. */
    AttemptReport rehearsed(List<Acknowledgement> acknowledgements) {
        return report("rehearsed", List.of(), opened(acknowledgements), acknowledgements);
    }

    /** When the last proxy let its clients go on. */
    private static long opened(List<Acknowledgement> acknowledgements) {
        return acknowledgements.stream()
                .filter(a -> a.step().equals("OPENED"))
                .mapToLong(Acknowledgement::atMicros)
                .max()
                .orElseGet(AttemptLog::micros);
    }

    private AttemptReport report(
            String outcome, List<String> blockers, long openedAt, List<Acknowledgement> acknowledgements) {
        long pause = holdAt == 0 ? 0 : Math.max(0, openedAt - holdAt);
        return new AttemptReport(
                attempt,
                number,
                migration,
                direction,
                epoch,
                outcome,
                blockers,
                holdAt,
                openedAt,
                pause,
                List.copyOf(steps),
                proxies(acknowledgements),
                List.copyOf(ended),
                false);
    }

    static List<AttemptReport.ProxyTimes> proxies(List<Acknowledgement> acknowledgements) {
        Map<String, AttemptReport.ProxyTimes> proxies = new LinkedHashMap<>();
        for (Acknowledgement a : acknowledgements) {
            String key = a.proxy() + "/" + a.interlay();
            AttemptReport.ProxyTimes before = proxies.get(key);
            Map<String, Long> times = new LinkedHashMap<>(before == null ? Map.of() : before.acknowledgedAtMicros());
            times.put(a.step(), a.atMicros());
            String detail = a.step().equals("DRAINED") || before == null ? a.detail() : before.detail();
            proxies.put(key, new AttemptReport.ProxyTimes(a.proxy(), a.interlay(), times, detail));
        }
        return List.copyOf(proxies.values());
    }

    static void ended(Logger logger, AttemptReport report, String message) {
        logger.atInfo()
                .addKeyValue("migration", report.migration())
                .addKeyValue("epoch", report.epoch())
                .addKeyValue("direction", report.direction())
                .addKeyValue("outcome", report.outcome())
                .addKeyValue("pause_micros", report.pauseMicros())
                .addKeyValue("blockers", report.blockers())
                .addKeyValue("steps", report.steps())
                .log(message);
    }

    static String json(AttemptReport report) {
        try {
            return JSON.writeValueAsString(report);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long micros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }
}
