package dev.eden.demo.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.demo.Scenario;
import dev.eden.demo.check.Anomaly;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.engine.Judgement;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.load.LoadStats;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Everything that the faults did, and whether any of it may not be. */
final class ChaosVerdict {
    /** A row that can be read is STABLE again within this time: arming's limit, the takeover, and a slow machine. */
    private static final long SETTLED_MILLIS = 10_000;
    /** How long after its return a proxy's clients may still find out. */
    private static final long AFTERWARDS_MICROS = 1_500_000;

    private static final List<Anomaly> NEVER = List.of(Anomaly.values());

    private final ChaosOptions options;
    private final List<FaultReport> reports;
    private final List<String> failures = new ArrayList<>();
    private Verdict checked = new Verdict(0, 0, 0, Map.of(), List.of());

    ChaosVerdict(ChaosOptions options, List<FaultReport> reports, @Nullable String failure) {
        this.options = options;
        this.reports = reports;
        if (failure != null) {
            failures.add(failure);
        }
    }

    /** Notes a client's trouble with the fault it belongs to, unless a killed proxy explains it. */
    static void blame(List<FaultReport> reports, LoadStats.Trouble trouble, long at) {
        FaultReport near = null;
        for (FaultReport report : reports) {
            if (report.happened()
                    && explains(report, trouble)
                    && at >= report.window.from() - 500_000
                    && at <= report.backAt + AFTERWARDS_MICROS) {
                return;
            }
            if (report.happened() && at >= report.window.from()) {
                near = report;
            }
        }
        String words = "client " + trouble.client() + " at " + at / 1000 + " ms: " + trouble.message();
        if (near != null) {
            near.anomalies.add(words);
        } else if (!reports.isEmpty()) {
            reports.getFirst().anomalies.add("before: " + words);
        }
    }

    private static boolean explains(FaultReport report, LoadStats.Trouble trouble) {
        // A listener is told, by the end of its session, that it may have missed something: where its proxy was
        // stopped for longer than the others wait, could not read the commit because the store was away, or could
        // not hear a database out.
        boolean listener = trouble.client() < 0;
        boolean told = listener && trouble.message().contains("57P01");
        boolean own = report.struckProxyOf(trouble.client());
        return switch (report.struck) {
            case Node node ->
                told && node == Node.STORE || trouble.connection() && (report.fault.kill() || listener) && own;
            case Way way -> told && own;
        };
    }

    ChaosVerdict judge(Workload workload, List<InetSocketAddress> proxies, RouteWatch.Sample route) {
        boolean completed = failures.isEmpty();
        boolean onTarget = completed || route.active().equals(Scenario.TARGET);
        try {
            Judgement judgement = workload.judge(onTarget, completed, proxies, Map.of());
            checked = judgement.checked();
            failures.addAll(judgement.failures());
            if (judgement.stillLost() > 0) {
                failures.add(
                        judgement.stillLost() + " " + workload.units() + " that nobody touched are not what they were");
            }
        } catch (Exception unreadable) {
            failures.add("the final state could not be read: " + unreadable.getMessage());
        }
        for (Anomaly anomaly : NEVER) {
            if (checked.count(anomaly) > 0) {
                failures.add(checked.count(anomaly) + " " + anomaly.name().toLowerCase(Locale.ROOT));
            }
        }
        if (checked.acknowledgedWrites() == 0) {
            failures.add("no write was acknowledged: nothing was shown");
        }
        for (FaultReport report : reports) {
            if (report.unsettledMillis > SETTLED_MILLIS) {
                report.anomalies.add("the route was unsettled for " + report.unsettledMillis + " ms");
            }
            if (!report.anomalies.isEmpty()) {
                failures.add("#" + report.number + " " + report.fault.name() + ": " + report.anomalies.size()
                        + " anomalies");
            }
        }
        return this;
    }

    boolean passed() {
        return failures.isEmpty() && unreached().isEmpty();
    }

    /** Faults that never struck: the run shows nothing about them. */
    List<FaultReport> unreached() {
        return reports.stream().filter(report -> !report.happened()).toList();
    }

    /** 0: every fault struck and nothing was found; 1: something was found; 3: nothing was, but a fault did not strike. */
    int exitStatus() {
        return !failures.isEmpty() ? 1 : unreached().isEmpty() ? 0 : 3;
    }

    private String verdict() {
        return switch (exitStatus()) {
            case 0 -> "passed";
            case 3 -> "incomplete";
            default -> "failed";
        };
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    List<FaultReport> reports() {
        return List.copyOf(reports);
    }

    List<String> words() {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add(
                "| # | point | process | action | outcome | not STABLE ms | block ms, others | block ms, its clients |"
                        + " anomalies |");
        lines.add("|---|---|---|---|---|---|---|---|---|");
        for (FaultReport report : reports) {
            lines.add(String.format(
                    Locale.ROOT,
                    "| %d | %s | %s | %s %d | %s | %d | %.0f | %s | %d |",
                    report.number,
                    report.fault.name(),
                    report.struck.label(),
                    report.fault.blow().label(),
                    report.fault.millis(),
                    report.outcome,
                    report.unsettledMillis,
                    report.blockMillis,
                    !report.struckProxy() ? "–" : String.format(Locale.ROOT, "%.0f", report.blockVictimMillis),
                    report.anomalies.size()));
        }
        lines.add("");
        lines.add(verdict().toUpperCase(Locale.ROOT) + "; seed " + options.seed());
        lines.add(String.format(
                Locale.ROOT,
                "  %,d operations, %,d writes acknowledged, %d in doubt; %d of %d faults struck",
                checked.operations(),
                checked.acknowledgedWrites(),
                checked.inDoubt(),
                reports.size() - unreached().size(),
                reports.size()));
        for (Anomaly anomaly : NEVER) {
            lines.add("  " + anomaly.name().toLowerCase(Locale.ROOT) + " " + checked.count(anomaly));
        }
        failures.forEach(failure -> lines.add("  ! " + failure));
        unreached()
                .forEach(report -> lines.add("  ! #" + report.number + " " + report.fault.name() + " "
                        + report.fault.blow().label() + ": " + report.outcome));
        checked.examples().forEach(example -> lines.add("    " + example));
        for (FaultReport report : reports) {
            report.anomalies.stream().limit(5).forEach(words -> lines.add("    #" + report.number + " " + words));
        }
        return lines;
    }

    String json() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("verdict", verdict());
        json.put("seed", options.seed());
        json.put("acknowledged_writes", checked.acknowledgedWrites());
        json.put("in_doubt", checked.inDoubt());
        for (Anomaly anomaly : NEVER) {
            json.put(anomaly.name().toLowerCase(Locale.ROOT), checked.count(anomaly));
        }
        json.put("unreached", unreached().size());
        var faults = json.putArray("faults");
        for (FaultReport report : reports) {
            ObjectNode node = faults.addObject();
            node.put("point", report.fault.name());
            node.put("process", report.struck.label());
            node.put("action", report.fault.blow().label());
            node.put("millis", report.fault.millis());
            node.put("outcome", report.outcome);
            node.put("unsettled_ms", report.unsettledMillis);
            node.put("block_ms", Math.round(report.blockMillis));
            node.put("block_own_clients_ms", Math.round(report.blockVictimMillis));
            var anomalies = node.putArray("anomalies");
            report.anomalies.forEach(anomalies::add);
        }
        var why = json.putArray("failures");
        failures.forEach(why::add);
        var examples = json.putArray("examples");
        checked.examples().forEach(examples::add);
        return json.toString();
    }
}
