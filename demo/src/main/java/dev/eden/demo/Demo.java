package dev.eden.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.engine.Judgement;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.load.Load;
import dev.eden.demo.load.LoadStats;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** One run of the demo on a cluster: preload, load, migration, verdict. */
final class Demo {
    private final DemoOptions options;
    private final Cluster cluster;
    private final Workload workload;
    private final Screen screen;

    Demo(DemoOptions options, Cluster cluster, Workload workload, Screen screen) {
        this.options = options;
        this.cluster = cluster;
        this.workload = workload;
        this.screen = screen;
    }

    DemoVerdict run() throws IOException {
        long begun = System.nanoTime();
        if (options.damage() > workload.mostDamage()) {
            throw new DemoException(
                    "--damage: at most " + workload.mostDamage() + " with this many " + workload.units());
        }
        screen.event("starting Eden's store, Temporal, " + cluster.databases().source() + " and "
                + cluster.databases().target());
        cluster.startServers();
        if (!cluster.durableTemporal()) {
            screen.event(
                    "note: no temporal binary here, so Temporal is the in-process test server: neither durable nor with a"
                            + " Web UI (eden temporal install builds the real one)");
        }
        CompletableFuture<Void> filled = CompletableFuture.runAsync(this::fill);
        screen.event("starting the control plane, filling the source with " + options.keys() + " " + workload.units());
        RestClient rest = cluster.startControlPlane();
        Scenario scenario = new Scenario(options, rest, cluster, workload, screen);
        scenario.register();
        screen.event("starting " + cluster.proxyCount() + " proxies");
        cluster.startProxies();
        try {
            filled.join();
        } catch (CompletionException e) {
            throw new DemoException("the source could not be filled: " + e.getCause(), e);
        }
        Load load = workload.start(cluster.proxies());
        long loadBegan = System.nanoTime();
        screen.watch(load);
        screen.event(options.clients() + " clients send " + options.rate() + " " + workload.requestUnits()
                + " a second through the proxies");
        String failure = null;
        Status last = null;
        scenario.create();
        try (StatusPoller poller = new StatusPoller(rest, Scenario.MIGRATION, workload.history())) {
            screen.watch(poller);
            try {
                scenario.run(poller, loadBegan);
            } catch (DemoException | RestClient.RefusedException | IOException stopped) {
                failure = String.valueOf(stopped.getMessage());
                screen.event("stopped: " + failure);
            }
            load.close();
            last = poller.latest();
            try {
                last = poller.now();
            } catch (IOException | RestClient.RefusedException away) {
                failure = failure == null ? "the control plane does not answer: " + away.getMessage() : failure;
            }
        }
        screen.unwatch();
        screen.event("load ended, reading everything back");
        return judge(load, scenario, rest, last, failure, (loadBegan - begun) / 1e9);
    }

    private void fill() {
        try {
            workload.fill();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new DemoException(String.valueOf(e.getMessage()), e);
        }
    }

    private DemoVerdict judge(
            Load load,
            Scenario scenario,
            RestClient rest,
            @Nullable Status last,
            @Nullable String stopped,
            double secondsToLoad) {
        String failure = stopped;
        LoadStats stats = load.stats();
        boolean onTarget = last == null || last.active().isEmpty()
                ? failure == null
                : last.active().equals(Scenario.TARGET);
        Judgement judgement;
        try {
            screen.event("checking what " + options.clients() + " clients were told against it");
            judgement = workload.judge(onTarget, failure == null, cluster.proxies(), scenario.planted());
        } catch (Exception unreadable) {
            failure = (failure == null ? "" : failure + "; ") + "the final state could not be read: "
                    + unreadable.getMessage();
            judgement = new Judgement(new Verdict(0, 0, 0, Map.of(), List.of()), 0, List.of());
        }
        return new DemoVerdict(
                cluster.databases().engine(),
                options,
                judgement,
                stats.errors(),
                stats.disconnects(),
                stats.conflicts(),
                stats.messages(),
                FlipReader.read(
                        last == null ? JsonNodeFactory.instance.arrayNode() : last.attempts(),
                        scenario.flipWindows(),
                        workload.requests()),
                stats.operations() / load.seconds(),
                secondsToLoad,
                load.seconds(),
                damageResult(scenario.planted(), rest),
                scenario.servedByTarget(),
                failure);
    }

    private DemoVerdict.DamageResult damageResult(Map<String, String> planted, RestClient rest) {
        if (planted.isEmpty()) {
            return DemoVerdict.DamageResult.NONE;
        }
        try {
            JsonNode report = rest.get("/migrations/" + Scenario.MIGRATION + "/validation");
            JsonNode differences = report.has("sample") ? report.get("sample") : report.path("differences");
            Set<String> named = new HashSet<>();
            Set<String> repaired = new HashSet<>();
            for (JsonNode difference : differences) {
                String key = workload.named(difference.path("key").asText());
                named.add(key);
                if (difference.path("repaired").asBoolean()) {
                    repaired.add(key);
                }
            }
            boolean exact = named.equals(planted.keySet()) && repaired.equals(planted.keySet());
            named.retainAll(planted.keySet());
            repaired.retainAll(planted.keySet());
            return new DemoVerdict.DamageResult(planted.size(), named.size(), repaired.size(), exact);
        } catch (IOException | RestClient.RefusedException away) {
            return new DemoVerdict.DamageResult(planted.size(), 0, 0, false);
        }
    }
}
