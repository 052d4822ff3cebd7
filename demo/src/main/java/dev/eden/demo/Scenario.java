package dev.eden.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.history.History;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * The migration, driven through the public REST API and nothing else: load and validation, canary at 5, 25 and 75 percent,
 * cutover, rollback, cutover again, finalise. The steps are spread over the time that the demo was given and never overtake
 * what Eden is doing.
 */
public final class Scenario {
    public static final String MIGRATION = "demo";
    public static final String SOURCE = "demo_source";
    public static final String TARGET = "demo_target";

    private static final Duration PATIENCE = Duration.ofSeconds(300);
    private static final long STATUS_MILLIS = 100;
    private static final Duration REPORTED = Duration.ofSeconds(15);
    private static final Duration SHORTEST_STEP = Duration.ofMillis(1500);

    private final DemoOptions options;
    private final RestClient rest;
    private final Cluster cluster;
    private final Workload workload;
    private final Screen screen;
    private final List<History.Window> flipWindows = new ArrayList<>();
    private Map<String, String> planted = Map.of();
    private long readsOnTarget;

    Scenario(DemoOptions options, RestClient rest, Cluster cluster, Workload workload, Screen screen) {
        this.options = options;
        this.rest = rest;
        this.cluster = cluster;
        this.workload = workload;
        this.screen = screen;
    }

    /** Makes endpoints and interlay: what has to be there before a proxy can serve. */
    void register() throws IOException {
        register(rest, cluster);
    }

    /** Makes endpoints and interlay of {@code cluster}. */
    public static void register(RestClient rest, Cluster cluster) throws IOException {
        rest.post("/endpoints", endpoint(SOURCE, cluster.databaseUri(false)));
        rest.post("/endpoints", endpoint(TARGET, cluster.databaseUri(true)));
        rest.post("/interlays", """
                {"id": "%s", "endpoint": "%s"}""".formatted(cluster.databases().interlay(), SOURCE));
    }

    private static String endpoint(String id, String uri) {
        return """
                {"id": "%s", "uri": "%s"}""".formatted(id, uri);
    }

    /** Registers the migration; it does not start. */
    void create() throws IOException {
        create(rest, cluster, """
                "cutover": {"deadline_ms": %d},""".formatted(options.deadlineMillis()));
    }

    /**
     * Registers the migration of the registered endpoints; it does not start.
     *
     * @param more members of the request, each followed by a comma
     */
    public static void create(RestClient rest, Cluster cluster, String more) throws IOException {
        rest.post("/migrations", """
                {
                  "id": "%s",
                  "description": "Eden's demo: %s to %s, under load",
                  "strategy": {"type": "canary", "read_percentage": 0.05,
                    "write_mode": {"mode": "dual_write", "policy": "old_authoritative"}},
                  %s %s
                  "failure_handling": "pause"
                }""".formatted(
                        MIGRATION,
                        cluster.databases().source(),
                        cluster.databases().target(),
                        cluster.databases().migration(),
                        more));
        rest.post(
                "/migrations/" + MIGRATION + "/interlay/" + cluster.databases().interlay(), """
                {"endpoint": "%s"}""".formatted(TARGET));
    }

    /** From the plan to the closing report. {@code began}: when the load began, {@link System#nanoTime()}. */
    void run(StatusPoller poller, long began) throws IOException {
        Steps steps = new Steps(began);
        steps.waitUntil(0.05);
        plan();
        rest.post("/migrations/" + MIGRATION + "/migrate", null);
        screen.event("migration started: all " + workload.units() + " are copied, then every change follows");
        if (options.damage() > 0) {
            damage(poller);
        }
        Status canary = await(poller, "validated", status -> status.phase().equals("canary"));
        screen.event("validated: source and target are equal; 5 % of eligible reads go to the target");
        long epoch = canary.epoch();
        steps.waitUntil(0.35);
        share(0.25);
        steps.waitUntil(0.45);
        share(0.75);
        steps.waitUntil(0.55);
        readsOnTarget = readsOnTarget();
        epoch = flip(poller, "cutover", "baking", epoch);
        screen.event("cut over: the target owns the writes, the source follows it");
        if (options.proxiesFrom() != null) {
            upgrade(0);
        }
        steps.waitUntil(0.68);
        CompletableFuture<Void> upgrade = options.proxiesFrom() == null
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.runAsync(() -> upgrade(1));
        epoch = flip(poller, "rollback", "canary", epoch);
        upgrade.join();
        screen.event("rolled back: the source owns the writes again, with everything written meanwhile");
        steps.waitUntil(0.78);
        flip(poller, "cutover", "baking", epoch);
        screen.event("cut over again");
        steps.waitUntil(0.90);
        command("finalize");
        await(poller, "completed", status -> status.phase().equals("completed"));
        screen.event("finalised: the migration is completed");
        steps.waitUntil(1.0);
    }

    /** What the proxies say that the target has served before it owned anything. They report every now and then, and on a busy machine few reads find it up to date: the first is waited for. */
    private long readsOnTarget() throws IOException {
        long deadline = System.nanoTime() + REPORTED.toNanos();
        while (true) {
            long served = 0;
            for (JsonNode proxy : rest.get("/interlays/" + cluster.databases().interlay() + "/traffic")
                    .path("proxies")) {
                served += proxy.at("/report/served_by_standby").asLong();
            }
            if (served > 0 || System.nanoTime() > deadline) {
                return served;
            }
            pause(STATUS_MILLIS);
        }
    }

    /** In the first canary, of the share that was to go there. */
    long servedByTarget() {
        return readsOnTarget;
    }

    private void upgrade(int proxy) {
        cluster.upgradeProxy(proxy);
        screen.event("proxy " + (proxy + 1) + " of " + cluster.proxyCount() + " is this build's now");
    }

    private void plan() throws IOException {
        JsonNode plan = rest.get("/migrations/" + MIGRATION + "/plan");
        Map<String, Integer> bySeverity = new HashMap<>();
        JsonNode findings = plan.path("findings");
        for (JsonNode finding : findings) {
            bySeverity.merge(finding.path("severity").asText(), 1, Integer::sum);
            if (finding.path("severity").asText().equals("failure")) {
                throw new DemoException("the plan refuses the migration: " + finding);
            }
        }
        screen.event("plan: " + findings.size() + " findings " + bySeverity);
    }

    private void share(double share) throws IOException {
        rest.patch("/migrations/" + MIGRATION, """
                {"strategy": {"type": "canary", "read_percentage": %s,
                  "write_mode": {"mode": "dual_write", "policy": "old_authoritative"}}}""".formatted(share));
        screen.event("canary: " + Math.round(share * 100) + " % of eligible reads go to the target");
    }

    /** Stops the migration between load and validation, breaks some of what the target has, lets it go on. */
    private void damage(StatusPoller poller) throws IOException {
        await(
                poller,
                "replicating",
                status -> !status.phase().equals("created") && !status.phase().equals("initializing"));
        command("pause");
        await(
                poller,
                "paused after the full load",
                status -> status.paused()
                        && status.progress().known()
                        && status.progress().keysDone() >= status.progress().keysTotal()
                        && status.lagMillis() >= 0
                        && status.lagMillis() < 1000);
        Status status = poller.now();
        if (!status.phase().equals("replicating")) {
            throw new DemoException("the migration was " + status.phase() + " before the damage could be done; more "
                    + workload.units() + " (--keys) make the load long enough");
        }
        try {
            planted = workload.damage(options.damage());
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new DemoException("the target could not be damaged: " + e.getMessage(), e);
        }
        screen.event(planted.size() + " " + workload.units() + " of the target damaged behind Eden's back");
        command("resume");
    }

    /** What was damaged, with the way of each. */
    Map<String, String> planted() {
        return planted;
    }

    /** From asking for each flip to its end, in order. */
    List<History.Window> flipWindows() {
        return List.copyOf(flipWindows);
    }

    /** Asks until Eden accepts and authority has moved; an attempt that aborts is asked for again. Returns the new epoch. */
    private long flip(StatusPoller poller, String command, String phaseAfter, long epoch) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        long from = workload.requests().now();
        command(command);
        long asked = System.nanoTime();
        while (true) {
            // Not more often than the screen: an operator's patience should not be part of what is measured.
            pause(STATUS_MILLIS);
            Status status = poller.latest();
            if (status == null) {
                continue;
            }
            boolean moved = status.epoch() > epoch || status.epoch() == 0;
            if (moved && status.phase().equals(phaseAfter)) {
                flipWindows.add(new History.Window(from, workload.requests().now()));
                return status.epoch();
            }
            refuseStuck(status, command);
            if (System.nanoTime() > deadline) {
                throw new DemoException("no " + command + " within " + PATIENCE.toSeconds() + " s; phase "
                        + status.phase() + " " + status.reason() + " " + status.blockers());
            }
            boolean back = status.phase().equals(phaseAfter.equals("baking") ? "canary" : "baking");
            if (back && System.nanoTime() - asked > 2_000_000_000L) {
                screen.event(command + " did not happen (" + status.reason() + "), asking again");
                command(command);
                asked = System.nanoTime();
            }
        }
    }

    /** Sends a command; a refusal (409) says that Eden is not ready yet. */
    private void command(String name) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                rest.post("/migrations/" + MIGRATION + "/" + name, """
                        {"reason": "demo"}""");
                return;
            } catch (RestClient.RefusedException refused) {
                if (refused.status() != 409 || System.nanoTime() > deadline) {
                    throw new DemoException(String.valueOf(refused.getMessage()), refused);
                }
                pause(300);
            }
        }
    }

    private Status await(StatusPoller poller, String what, Predicate<Status> condition) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            Status status = poller.now();
            if (condition.test(status)) {
                return status;
            }
            refuseStuck(status, what);
            if (System.nanoTime() > deadline) {
                throw new DemoException("not " + what + " within " + PATIENCE.toSeconds() + " s; phase "
                        + status.phase() + (status.paused() ? " (paused)" : "") + " " + status.reason() + " "
                        + status.blockers());
            }
            pause(50);
        }
    }

    private static void refuseStuck(Status status, String waitingFor) {
        if (status.stuck()) {
            throw new DemoException(
                    "waiting for " + waitingFor + ", but the migration is " + status.phase() + ": " + status.reason());
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoException("interrupted", e);
        }
    }

    /** The timetable: a step begins at its share of the time, and some time after the one before. */
    private final class Steps {
        private final long began;
        private long last;

        Steps(long began) {
            this.began = began;
            this.last = began;
        }

        void waitUntil(double share) {
            long due = Math.max(began + (long) (share * options.seconds() * 1e9), last + SHORTEST_STEP.toNanos());
            long wait = (due - System.nanoTime()) / 1_000_000;
            if (wait > 0) {
                pause(wait);
            }
            last = System.nanoTime();
        }
    }
}
