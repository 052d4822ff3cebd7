package dev.eden.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.demo.check.Checker;
import dev.eden.demo.check.FinalState;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.history.History;
import dev.eden.demo.load.FinalReader;
import dev.eden.demo.load.Keyspace;
import dev.eden.demo.load.LoadGenerator;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.load.LoadStats;
import dev.eden.demo.load.Preload;
import dev.eden.demo.load.StillLife;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** One run of the demo on a cluster: preload, load, migration, verdict. */
final class Demo {
    /** Servers of one machine share a clock; Redis expires to the millisecond, a loaded machine is late. */
    private static final long EXPIRY_TOLERANCE_MICROS = 100_000;

    /** Preloaded keys with a time to live go while the demo runs. */
    private static final long SHORTEST_TTL_MILLIS = 5_000;

    private final DemoOptions options;
    private final Cluster cluster;
    private final Screen screen;
    private final History history = new History();
    private final Keyspace keyspace;
    private final StillLife still;

    Demo(DemoOptions options, Cluster cluster, Screen screen) {
        this.options = options;
        this.cluster = cluster;
        this.screen = screen;
        this.keyspace = new Keyspace(options.keys());
        this.still = new StillLife(keyspace, options.seed());
    }

    DemoVerdict run() throws IOException {
        long begun = System.nanoTime();
        Damage damage = new Damage(still);
        if (options.damage() > damage.most()) {
            throw new DemoException("--damage: at most " + damage.most() + " with this many keys");
        }
        screen.event("starting PostgreSQL, Temporal and two Redis servers");
        cluster.startServers();
        if (!cluster.durableTemporal()) {
            screen.event(
                    "note: no temporal binary here, so Temporal is the in-process test server: neither durable nor with a"
                            + " Web UI (infra/temporal/build makes the real one)");
        }
        CompletableFuture<Map<String, String>> preloaded = CompletableFuture.supplyAsync(this::preload);
        screen.event("starting the control plane, filling the source with " + options.keys() + " keys");
        RestClient rest = cluster.startControlPlane();
        Scenario scenario = new Scenario(options, rest, cluster, history, screen, damage);
        scenario.register();
        screen.event("starting " + Cluster.PROXIES + " proxies");
        cluster.startProxies();
        Map<String, String> stillBefore;
        try {
            stillBefore = preloaded.join();
        } catch (CompletionException e) {
            throw new DemoException("the source could not be filled: " + e.getCause(), e);
        }
        LoadOptions load = new LoadOptions(options.clients(), options.rate(), options.seed());
        LoadGenerator generator = LoadGenerator.start(cluster.proxies(), keyspace, load, history);
        long loadBegan = System.nanoTime();
        screen.watch(generator);
        screen.event(
                options.clients() + " clients send " + options.rate() + " operations a second through the proxies");
        String failure = null;
        JsonNode attempts = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.arrayNode();
        Status last = null;
        scenario.create();
        try (StatusPoller poller = new StatusPoller(rest, Scenario.MIGRATION, history)) {
            screen.watch(poller);
            try {
                scenario.run(poller, loadBegan);
            } catch (DemoException | RestClient.RefusedException | IOException stopped) {
                failure = String.valueOf(stopped.getMessage());
                screen.event("stopped: " + failure);
            }
            generator.close();
            last = poller.latest();
            try {
                last = poller.now();
            } catch (IOException | RestClient.RefusedException away) {
                failure = failure == null ? "the control plane does not answer: " + away.getMessage() : failure;
            }
        }
        if (last != null) {
            attempts = last.attempts();
        }
        screen.unwatch();
        screen.event("load ended, reading everything back");
        return judge(generator, scenario, rest, attempts, last, failure, stillBefore, (loadBegan - begun) / 1e9);
    }

    private Map<String, String> preload() {
        try (Jedis source = new Jedis(Cluster.address(cluster.source()))) {
            new Preload(keyspace, options.seed()).fill(source, history, SHORTEST_TTL_MILLIS);
            return still.read(source);
        }
    }

    private DemoVerdict judge(
            LoadGenerator generator,
            Scenario scenario,
            RestClient rest,
            JsonNode attempts,
            @Nullable Status last,
            @Nullable String stopped,
            Map<String, String> stillBefore,
            double secondsToLoad) {
        String failure = stopped;
        LoadStats stats = generator.stats();
        boolean onTarget = last == null || last.active().isEmpty()
                ? failure == null
                : last.active().equals(Scenario.TARGET);
        List<FinalState> states = new ArrayList<>();
        long stillLost = 0;
        FinalReader reader = new FinalReader(keyspace, history);
        try {
            try (Jedis owner = owner(onTarget, failure == null)) {
                states.add(reader.read(onTarget ? "the target" : "the source", owner));
                stillLost = stillLost(stillBefore, still.read(owner)) + extras(scenario, owner);
            }
            for (HostAndPort proxy : cluster.proxies()) {
                try (Jedis through = new Jedis(proxy, patient())) {
                    states.add(reader.read("proxy " + proxy.getPort(), through));
                }
            }
        } catch (JedisException unreadable) {
            failure = (failure == null ? "" : failure + "; ") + "the final state could not be read: "
                    + unreadable.getMessage();
        }
        screen.event("checking what " + options.clients() + " clients were told against it");
        Verdict checked = states.isEmpty()
                ? new Verdict(0, 0, 0, Map.of(), List.of())
                : new Checker(keyspace, EXPIRY_TOLERANCE_MICROS).check(history, states);
        return new DemoVerdict(
                options,
                checked,
                stillLost,
                stats.errors(),
                stats.disconnects(),
                stats.conflicts(),
                stats.messages(),
                FlipReader.read(attempts, scenario.flipWindows(), history),
                stats.operations() / generator.seconds(),
                secondsToLoad,
                generator.seconds(),
                damageResult(scenario.planted(), rest),
                failure);
    }

    private Jedis owner(boolean onTarget, boolean completed) {
        if (onTarget && !completed) {
            return cluster.saboteur();
        }
        return new Jedis(Cluster.address(onTarget ? cluster.target() : cluster.source()), patient());
    }

    private static DefaultJedisClientConfig patient() {
        return DefaultJedisClientConfig.builder().timeoutMillis(30_000).build();
    }

    private static long stillLost(Map<String, String> before, Map<String, String> after) {
        return before.entrySet().stream()
                .filter(entry -> !entry.getValue().equals(after.get(entry.getKey())))
                .count();
    }

    /** Keys that the damage added and that are still there. */
    private static long extras(Scenario scenario, Jedis owner) {
        return scenario.planted().entrySet().stream()
                .filter(entry -> entry.getValue().equals("extra") && owner.exists(entry.getKey()))
                .count();
    }

    private static DemoVerdict.DamageResult damageResult(Map<String, String> planted, RestClient rest) {
        if (planted.isEmpty()) {
            return DemoVerdict.DamageResult.NONE;
        }
        try {
            JsonNode report = rest.get("/migrations/" + Scenario.MIGRATION + "/validation");
            JsonNode differences = report.has("sample") ? report.get("sample") : report.path("differences");
            Set<String> named = new HashSet<>();
            Set<String> repaired = new HashSet<>();
            for (JsonNode difference : differences) {
                String key = difference.path("key").asText();
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
