package dev.eden.demo.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.demo.Cluster;
import dev.eden.demo.DemoException;
import dev.eden.demo.RestClient;
import dev.eden.demo.Scenario;
import dev.eden.demo.Status;
import dev.eden.demo.StatusPoller;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.history.History;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.load.Load;
import dev.eden.demo.load.LoadStats;
import dev.eden.embedded.EmbeddedServerException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One long-lived migration under load, moved there and back again and again, with one fault in each move; then driven to its
 * end and judged.
 */
final class ChaosRun {
    private static final long HIT_MILLIS = 25_000;
    private static final int TRIES = 3;
    private static final long SETTLE_MILLIS = 120_000;
    private static final String PATH = "/migrations/" + Scenario.MIGRATION;
    private static final String COMMAND = """
            {"reason": "chaos"}""";

    private final ChaosOptions options;
    private final Workload workload;
    private final Cluster cluster;
    private final Consumer<String> out;
    private final Injector injector;
    private final History history;
    private final List<FaultReport> reports = new ArrayList<>();
    private final long began = System.nanoTime();
    /** The fault under way had not struck then: where this process itself waits for a processor, long before it is seen to have. */
    private long lookedLast;

    private @Nullable RouteWatch watch;
    private @Nullable RestClient rest;

    ChaosRun(ChaosOptions options, Workload workload, Cluster cluster, Consumer<String> out) {
        this.options = options;
        this.workload = workload;
        this.history = workload.history();
        this.cluster = cluster;
        this.out = out;
        this.injector = new Injector(cluster);
    }

    ChaosVerdict run() throws IOException {
        cluster.startServers();
        if (!cluster.durableTemporal()) {
            throw new DemoException("faults need the durable Temporal (eden temporal install builds it)");
        }
        try {
            workload.fill();
        } catch (Exception e) {
            throw new DemoException("the source could not be filled: " + e.getMessage(), e);
        }
        RestClient client = cluster.startControlPlane();
        rest = client;
        Scenario.register(client, cluster);
        cluster.startProxies();
        Load load = workload.start(cluster.proxies());
        say("load running; seed " + options.seed());
        Scenario.create(client, cluster, """
                "cutover": {"deadline_ms": %d, "max_attempts": 1}, "gates": {"max_lag_ms": 2000},""".formatted(options.deadlineMillis()));
        String failure = null;
        RouteWatch watching =
                new RouteWatch(cluster.storeUrl(), cluster.databases().interlay(), history);
        watch = watching;
        try (watching;
                StatusPoller poller = new StatusPoller(client, Scenario.MIGRATION, history)) {
            try {
                drive(client);
            } catch (DemoException | RestClient.RefusedException | EmbeddedServerException stopped) {
                failure = String.valueOf(stopped.getMessage());
                say("stopped: " + failure);
            }
            load.close();
        }
        measure(load.stats());
        return new ChaosVerdict(options, reports, failure).judge(workload, cluster.proxies(), watching.latest());
    }

    private void drive(RestClient client) throws IOException {
        post("/migrate");
        ends(options.beginning(), "beginning", () -> phase("canary"));
        client.patch(PATH, """
                {"strategy": {"type": "canary", "read_percentage": %s,
                  "write_mode": {"mode": "dual_write", "policy": "old_authoritative"}}}""".formatted(options.share()));
        say("validated, in canary");
        for (Fault fault : options.faults()) {
            FaultReport report = new FaultReport(reports.size() + 1, fault, options.proxies());
            reports.add(report);
            if ((System.nanoTime() - began) / 1_000_000_000L > options.seconds()) {
                report.outcome = "not run, time was over";
                continue;
            }
            for (int i = 0; i < TRIES && !report.happened(); i++) {
                fault(report);
                say(line(report));
            }
        }
        injector.clear();
        while (!route().latest().active().equals(Scenario.TARGET)) {
            flip(() -> false);
        }
        command("finalize", () -> phase("completed"));
        ends(options.ending(), "end", () -> phase("completed"));
        say("completed");
    }

    /** Plants points of the beginning or the end, each hit once, and repairs until {@code done}. */
    private void ends(List<String> points, String where, Check done) {
        Map<String, FaultReport> planned = new LinkedHashMap<>();
        for (String point : points) {
            planned.put(point, atEnd(point));
            injector.plant(Node.SERVER, point, options.killAtEnds());
        }
        // Asked beside: a stopped server answers nothing until it has been brought back.
        AtomicBoolean reached = new AtomicBoolean();
        Thread asking = Thread.ofVirtual().start(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                if (done.test()) {
                    reached.set(true);
                    return;
                }
                resumeIfParked(null);
                Injector.sleep(20);
            }
        });
        long deadline = System.nanoTime() + (2 + points.size()) * SETTLE_MILLIS * 1_000_000;
        try {
            while (!reached.get()) {
                for (String point : injector.hits(Node.SERVER)) {
                    FaultReport report = planned.computeIfAbsent(point, this::atEnd);
                    long from = history.now();
                    bringBackAtEnd(report);
                    injector.forget(Node.SERVER, point);
                    report.outcome = where;
                    report.window = new Window(from, history.now());
                }
                requireBefore(deadline, "the " + where + " of the migration");
                Injector.sleep(20);
            }
        } finally {
            asking.interrupt();
        }
        injector.clear();
    }

    /** One that comes to another point before it serves dies there: the next look finds that one. */
    private void bringBackAtEnd(FaultReport report) {
        try {
            bringBack(report, Node.SERVER);
        } catch (EmbeddedServerException ended) {
            if (injector.hits(Node.SERVER).size() < 2) {
                throw ended;
            }
            report.backAt = history.now();
        }
    }

    private FaultReport atEnd(String point) {
        long down = 1_000 + 700L * Math.floorMod(reports.size(), 5);
        FaultReport report = new FaultReport(
                reports.size() + 1,
                new Fault(
                        point,
                        false,
                        0,
                        Node.SERVER,
                        options.killAtEnds() ? Blow.KILL : Blow.STOP,
                        down,
                        options.proxies()),
                options.proxies());
        reports.add(report);
        return report;
    }

    private void fault(FaultReport report) {
        Fault fault = report.fault;
        settle(report);
        RouteWatch.Sample before = route().latest();
        long from = history.now();
        AtomicBoolean asked = new AtomicBoolean();
        injector.standby(!before.active().equals(Scenario.TARGET));
        injector.plant(fault);
        if (fault.flip()) {
            Thread.ofVirtual().start(() -> ask(before, asked));
        }
        Victim struck = await(fault, from, asked);
        if (struck == null && fault.point() != null) {
            asked.set(true);
            injector.clear();
            revive(fault);
            settle(report);
            report.notes.add(route().story(from, history.now()));
            report.outcome = outcome(before, "not reached, ");
            return;
        }
        report.struck = fault.self() && struck != null ? struck : fault.victim();
        onlyOnce(report, struck);
        long blow = lookedLast;
        asked.set(true);
        bringBack(report, report.struck);
        revive(fault);
        for (Node other : report.also) {
            injector.restore(other, fault.blow());
        }
        report.backAt = history.now();
        settle(report);
        report.window = new Window(blow, history.now());
        report.outcome = fault.flip() ? outcome(before, "") : "–";
        report.unsettledMillis = route().longestUnsettledMillis(blow, history.now());
        report.notes.add(route().story(from, history.now()));
        injector.clear();
    }

    /** Starts what had to die so that the point could be reached, whether or not somebody came to it. */
    private void revive(Fault fault) {
        for (Fault.Primer primer : fault.primers()) {
            if (primer.action().equals("kill") && !injector.alive(primer.at())) {
                injector.restore(primer.at(), Blow.KILL);
            }
        }
    }

    /** One process that comes to the point is enough; another may have come to it before it could be taken back. */
    private void onlyOnce(FaultReport report, @Nullable Victim first) {
        String point = report.fault.point();
        if (point == null) {
            return;
        }
        for (Node other : report.fault.reachedBy()) {
            if (other != first
                    && !injector.withdraw(other, point)
                    && report.fault.self()
                    && report.fault.blow() != Blow.CUT) {
                report.also.add(other);
                report.notes.add("also " + other.label());
            }
        }
    }

    private String outcome(RouteWatch.Sample before, String prefix) {
        long epochs = route().latest().epoch() - before.epoch();
        return prefix + (epochs == 0 ? "aborted" : epochs == 1 ? "committed" : epochs + " epochs");
    }

    /** Waits for the moment of the fault and strikes; null where nobody came to its point. */
    private @Nullable Victim await(Fault fault, long from, AtomicBoolean asked) {
        String point = fault.point();
        if (point == null) {
            Injector.sleep(fault.delayMillis());
            lookedLast = history.now();
            injector.strike(fault.victim(), fault.blow());
            return fault.victim();
        }
        lookedLast = from;
        while (history.now() - from < HIT_MILLIS * 1000) {
            long look = history.now();
            Node hit = injector.hit(point, fault.reachedBy());
            if (hit == null) {
                lookedLast = look;
            } else {
                if (fault.blow() == Blow.CUT || !fault.self()) {
                    injector.strike(fault.self() ? hit : fault.victim(), fault.blow());
                }
                return hit;
            }
            if (asked.get() && attemptsEnded(from)) {
                return null;
            }
            Injector.sleep(2);
        }
        return null;
    }

    /** Whether an attempt began after {@code from}, and none has been under way for a while. */
    private boolean attemptsEnded(long from) {
        RouteWatch.Sample now = route().latestChange();
        return now.stable() && now.at() > from && history.now() - now.at() > 3_000_000;
    }

    /** After its time the victim is started or continued. */
    private void bringBack(FaultReport report, Victim victim) {
        Fault fault = report.fault;
        Injector.sleep(fault.millis());
        injector.restore(victim, fault.blow());
        report.backAt = history.now();
    }

    /** Asks for the flip until Eden accepts it or {@code stop}. */
    private void ask(RouteWatch.Sample before, AtomicBoolean stop) {
        String command = before.active().equals(Scenario.TARGET) ? "rollback" : "cutover";
        while (!stop.get()) {
            try {
                long changed = route().latestChange().at();
                post("/" + command);
                // Where Eden refuses the attempt after all, nothing moves: ask again.
                long until = System.nanoTime() + 6_000_000_000L;
                while (System.nanoTime() < until && !stop.get()) {
                    if (route().latestChange().at() != changed) {
                        stop.set(true);
                    }
                    Injector.sleep(20);
                }
            } catch (IOException | RestClient.RefusedException notNow) {
                Injector.sleep(100);
            }
        }
    }

    private void flip(Check enough) {
        RouteWatch.Sample before = route().latest();
        AtomicBoolean stop = new AtomicBoolean();
        Thread.ofVirtual().start(() -> ask(before, stop));
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (route().latest().epoch() == before.epoch() && !enough.test() && System.nanoTime() < deadline) {
            Injector.sleep(50);
        }
        stop.set(true);
        settle(null);
    }

    /** Returns when the row is STABLE, the workflow waits for a command and none is under way. */
    private void settle(@Nullable FaultReport report) {
        long deadline = System.nanoTime() + SETTLE_MILLIS * 1_000_000;
        int quiet = 0;
        while (quiet < 3) {
            Status status = status();
            boolean home = status != null
                    && route().latest().stable()
                    && !status.paused()
                    && status.phase().equals(status.active().equals(Scenario.TARGET) ? "baking" : "canary");
            quiet = home ? quiet + 1 : 0;
            resumeIfParked(report);
            if (System.nanoTime() > deadline) {
                String state = status == null ? "the server does not answer" : status.phase() + " " + status.reason();
                if (report != null) {
                    report.anomalies.add("did not settle: " + state);
                }
                throw new DemoException(
                        "not settled within " + SETTLE_MILLIS / 1000 + " s: route " + route().latest() + ", " + state);
            }
            Injector.sleep(150);
        }
    }

    private void resumeIfParked(@Nullable FaultReport report) {
        Status status = status();
        if (status != null && (status.phase().equals("needs_operator") || status.paused())) {
            String why = status.phase() + (status.paused() ? " (paused): " : ": ") + status.reason();
            try {
                post("/resume");
                say("resumed from " + why);
                if (report != null) {
                    report.notes.add("resumed from " + why);
                }
            } catch (IOException | RestClient.RefusedException notNow) {
                Injector.sleep(200);
            }
        }
    }

    private void command(String name, Check done) {
        long deadline = System.nanoTime() + SETTLE_MILLIS * 1_000_000;
        while (true) {
            try {
                post("/" + name);
                return;
            } catch (IOException | RestClient.RefusedException notNow) {
                if (done.test()) {
                    return;
                }
                requireBefore(deadline, name + ": " + notNow.getMessage());
                Injector.sleep(200);
            }
        }
    }

    private boolean phase(String wanted) {
        Status status = status();
        return status != null && status.phase().equals(wanted);
    }

    private @Nullable Status status() {
        try {
            JsonNode answer = client().get(PATH + "/status");
            return Status.of(answer);
        } catch (IOException | RestClient.RefusedException away) {
            return null;
        }
    }

    private void post(String path) throws IOException {
        client().post(PATH + path, path.equals("/migrate") ? null : COMMAND);
    }

    private RestClient client() {
        RestClient known = rest;
        if (known == null) {
            throw new IllegalStateException("not started");
        }
        return known;
    }

    private RouteWatch route() {
        RouteWatch known = watch;
        if (known == null) {
            throw new IllegalStateException("not started");
        }
        return known;
    }

    private static void requireBefore(long deadline, String what) {
        if (System.nanoTime() > deadline) {
            throw new DemoException("took too long: " + what);
        }
    }

    /** Block times and troubles, once nobody writes the history any more. */
    private void measure(LoadStats stats) {
        for (FaultReport report : reports) {
            if (report.happened()) {
                report.blockMillis = Blocks.longestMillis(
                        workload.requests(), report.window, client -> !report.struckProxyOf(client));
                report.blockVictimMillis =
                        Blocks.longestMillis(workload.requests(), report.window, report::struckProxyOf);
            }
        }
        long offset = System.nanoTime() / 1000 - history.now();
        for (LoadStats.Trouble trouble : stats.troubles()) {
            ChaosVerdict.blame(reports, trouble, trouble.nanos() / 1000 - offset);
        }
    }

    private String line(FaultReport report) {
        return "#" + report.number + " " + report.fault.name() + " "
                + report.fault.blow().label() + " "
                + report.struck.label() + ": " + report.outcome + ", unsettled " + report.unsettledMillis + " ms; "
                + String.join("; ", report.notes) + String.join("; ", report.anomalies);
    }

    private void say(String words) {
        out.accept(String.format(java.util.Locale.ROOT, "%6.1f s  %s", (System.nanoTime() - began) / 1e9, words));
    }

    /** A condition that asks other processes. */
    private interface Check {
        boolean test();
    }
}
