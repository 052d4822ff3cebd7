package dev.eden.demo.redis;

import dev.eden.demo.check.Checker;
import dev.eden.demo.check.FinalState;
import dev.eden.demo.engine.Judgement;
import dev.eden.demo.engine.Workload;
import dev.eden.demo.history.History;
import dev.eden.demo.load.FinalReader;
import dev.eden.demo.load.Keyspace;
import dev.eden.demo.load.Load;
import dev.eden.demo.load.LoadGenerator;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.load.Preload;
import dev.eden.demo.load.StillLife;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.Jedis;

/** Every type of key, every way of writing, judged key by key. */
public final class RedisWorkload implements Workload {
    /** Servers of one machine share a clock; Redis expires to the millisecond, a loaded machine is late. */
    private static final long EXPIRY_TOLERANCE_MICROS = 100_000;

    /** Where processes are stopped and started all the time, it is later still. */
    private static final long EXPIRY_TOLERANCE_UNDER_FAULTS_MICROS = 150_000;

    /** Preloaded keys with a time to live go while the demo runs. */
    private static final long SHORTEST_TTL_MILLIS = 5_000;

    private final RedisDatabases databases;
    private final LoadOptions options;
    private final History history = new History();
    private final Keyspace keyspace;
    private final StillLife still;
    private final Damage damage;
    private final long expiryToleranceMicros;
    private volatile Map<String, String> before = Map.of();

    public RedisWorkload(RedisDatabases databases, int keys, LoadOptions options) {
        this(databases, keys, options, EXPIRY_TOLERANCE_MICROS);
    }

    public static RedisWorkload underFaults(RedisDatabases databases, int keys, LoadOptions options) {
        return new RedisWorkload(databases, keys, options, EXPIRY_TOLERANCE_UNDER_FAULTS_MICROS);
    }

    private RedisWorkload(RedisDatabases databases, int keys, LoadOptions options, long expiryToleranceMicros) {
        this.expiryToleranceMicros = expiryToleranceMicros;
        this.databases = databases;
        this.options = options;
        this.keyspace = new Keyspace(keys);
        this.still = new StillLife(keyspace, options.seed());
        this.damage = new Damage(still);
    }

    @Override
    public String units() {
        return "keys";
    }

    @Override
    public String requestUnits() {
        return "operations";
    }

    @Override
    public History history() {
        return history;
    }

    @Override
    public History requests() {
        return history;
    }

    @Override
    public int mostDamage() {
        return damage.most();
    }

    @Override
    public void fill() {
        try (Jedis source = databases.connect(false, false)) {
            new Preload(keyspace, options.seed()).fill(source, history, SHORTEST_TTL_MILLIS);
            before = still.read(source);
        }
    }

    @Override
    public Load start(List<InetSocketAddress> proxies) {
        return LoadGenerator.start(
                proxies.stream().map(RedisDatabases::hostAndPort).toList(), keyspace, options, history);
    }

    @Override
    public Map<String, String> damage(int count) {
        try (Jedis target = databases.connect(true, true)) {
            return damage.plant(target, count);
        }
    }

    @Override
    public Judgement judge(
            boolean onTarget, boolean completed, List<InetSocketAddress> proxies, Map<String, String> planted) {
        List<FinalState> states = new ArrayList<>();
        FinalReader reader = new FinalReader(keyspace, history);
        long stillLost;
        try (Jedis owner = databases.connect(onTarget, !completed)) {
            states.add(reader.read(onTarget ? "the target" : "the source", owner));
            Map<String, String> after = still.read(owner);
            stillLost = before.entrySet().stream()
                    .filter(entry -> !entry.getValue().equals(after.get(entry.getKey())))
                    .count();
            // What the damage added must have gone.
            stillLost += planted.entrySet().stream()
                    .filter(entry -> entry.getValue().equals("extra") && owner.exists(entry.getKey()))
                    .count();
        }
        for (InetSocketAddress proxy : proxies) {
            try (Jedis through = RedisDatabases.through(proxy)) {
                states.add(reader.read("proxy " + proxy.getPort(), through));
            }
        }
        return new Judgement(new Checker(keyspace, expiryToleranceMicros).check(history, states), stillLost, List.of());
    }
}
