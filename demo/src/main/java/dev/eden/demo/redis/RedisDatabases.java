package dev.eden.demo.redis;

import dev.eden.demo.engine.Databases;
import dev.eden.embedded.EmbeddedDatabase;
import dev.eden.embedded.EmbeddedRedis;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** Two Redis servers. */
public final class RedisDatabases implements Databases {
    /** Eden's fence leaves users whose name begins with {@code eden-} alone: this one damages the target behind its back. */
    private static final String SABOTEUR = "eden-demo-saboteur";

    private final EmbeddedRedis.Options servers;
    private final String saboteurPassword = secret();
    private volatile @Nullable EmbeddedRedis source;
    private volatile @Nullable EmbeddedRedis target;

    /** Two servers that live in memory alone. */
    public RedisDatabases() {
        this(EmbeddedRedis.Options.defaults());
    }

    private RedisDatabases(EmbeddedRedis.Options servers) {
        this.servers = servers;
    }

    /** Two servers that have their data and users back after a kill: what a reply has acknowledged was written to the file before. */
    public static RedisDatabases durable() {
        return new RedisDatabases(EmbeddedRedis.Options.defaults()
                .withConfig("appendonly yes", "appendfsync everysec", "aclfile users.acl"));
    }

    private static String secret() {
        byte[] bytes = new byte[24];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public String engine() {
        return "redis";
    }

    @Override
    public String source() {
        return "Redis";
    }

    @Override
    public String target() {
        return "another Redis";
    }

    @Override
    public List<Supplier<? extends AutoCloseable>> starters() {
        return List.of(() -> source = EmbeddedRedis.start(servers), () -> target = EmbeddedRedis.start(servers));
    }

    @Override
    public void prepare() {
        try (Jedis admin = new Jedis(address(started(target)))) {
            admin.aclSetUser(SABOTEUR, "on", ">" + saboteurPassword, "~*", "&*", "+@all");
        }
    }

    @Override
    public String sourceUri() {
        return started(source).uri();
    }

    @Override
    public String targetUri() {
        return started(target).uri();
    }

    @Override
    public String migration() {
        return """
                "data": {"type": "scan", "replace": "replace"},""";
    }

    @Override
    public boolean answers(InetSocketAddress proxy) {
        try (Jedis jedis = new Jedis(
                hostAndPort(proxy),
                DefaultJedisClientConfig.builder().timeoutMillis(2000).build())) {
            return jedis.ping().equals("PONG");
        } catch (JedisException notYet) {
            return false;
        }
    }

    @Override
    public List<String> addresses(List<InetSocketAddress> proxies) {
        List<String> lines = new ArrayList<>();
        for (InetSocketAddress proxy : proxies) {
            lines.add("through Eden    redis-cli -p " + proxy.getPort());
        }
        if (source != null && target != null) {
            lines.add("source          redis-cli -p " + started(source).port());
            lines.add("target          redis-cli -p " + started(target).port());
        }
        return lines;
    }

    @Override
    public EmbeddedDatabase process(boolean ofTarget) {
        return started(ofTarget ? target : source);
    }

    /** A connection to one of the servers itself; on a server that is fenced, one that the fence does not touch. */
    public Jedis connect(boolean toTarget, boolean fenced) {
        EmbeddedRedis server = started(toTarget ? target : source);
        DefaultJedisClientConfig.Builder patient =
                DefaultJedisClientConfig.builder().timeoutMillis(30_000);
        if (fenced && toTarget) {
            patient.user(SABOTEUR).password(saboteurPassword);
        }
        return new Jedis(address(server), patient.build());
    }

    /** A connection to a proxy, with patience. */
    public static Jedis through(InetSocketAddress proxy) {
        return new Jedis(
                hostAndPort(proxy),
                DefaultJedisClientConfig.builder().timeoutMillis(30_000).build());
    }

    static HostAndPort hostAndPort(InetSocketAddress address) {
        return new HostAndPort(address.getHostString(), address.getPort());
    }

    private static HostAndPort address(EmbeddedRedis redis) {
        return new HostAndPort(redis.host(), redis.port());
    }

    private static EmbeddedRedis started(@Nullable EmbeddedRedis server) {
        if (server == null) {
            throw new IllegalStateException("not started");
        }
        return server;
    }
}
