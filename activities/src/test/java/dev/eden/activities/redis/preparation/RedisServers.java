package dev.eden.activities.redis.preparation;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A source and a target, as an {@link EndpointDirectory} names them. */
public final class RedisServers implements EndpointDirectory, AutoCloseable {
    public static final String MIGRATION = "m-1";
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /** Counters and clocks: they move by themselves. */
    private static final Set<String> VOLATILE = Set.of("maxclients");

    public final EmbeddedRedis source;
    public final EmbeddedRedis target;

    private RedisServers(EmbeddedRedis source, EmbeddedRedis target) {
        this.source = source;
        this.target = target;
    }

    public static RedisServers start(String version, String... targetConfig) {
        EmbeddedRedis source =
                EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withVersion(version));
        EmbeddedRedis target = EmbeddedRedis.start(
                EmbeddedRedis.Options.defaults().withVersion(version).withConfig(targetConfig));
        return new RedisServers(source, target);
    }

    public static RedisServers of(EmbeddedRedis source, EmbeddedRedis target) {
        return new RedisServers(source, target);
    }

    @Override
    public Endpoint endpoint(String id) {
        EmbeddedRedis server = switch (id) {
            case "source" -> source;
            case "target" -> target;
            default -> throw new NoSuchElementException(id);
        };
        return new Endpoint(id, "redis", server.host(), server.port(), false, null);
    }

    public RespConnection connect(String id) {
        return RespConnection.connect(endpoint(id), "test", TIMEOUT);
    }

    public RespConnection connect(String id, String user, String password) {
        return RespConnection.connect(endpoint(id), new Backend.Login(user, new Secret(password)), "test", TIMEOUT);
    }

    public static MigrationSpec spec(String replace) {
        return new MigrationSpec(
                MIGRATION,
                "",
                "redis",
                "source",
                "target",
                List.of("front"),
                new Strategy(
                        "canary",
                        0,
                        "session",
                        5,
                        null,
                        new Strategy.WriteMode("dual_write", "old_authoritative", "source", null)),
                new MigrationSpec.Data("scan", "auto", replace),
                MigrationSpec.Gates.defaults(),
                MigrationSpec.FailureHandling.PAUSE,
                MigrationSpec.CutoverBudget.defaults(),
                null);
    }

    /** What an operator could see on a server: users, settings, keys with values, functions, number of scripts. */
    public static String portrait(RespConnection connection) {
        StringBuilder text = new StringBuilder();
        connection
                .call("ACL", "LIST")
                .items()
                .forEach(line -> text.append(line.text()).append('\n'));
        List<Reply> settings = connection.call("CONFIG", "GET", "*").items();
        TreeMap<String, String> sorted = new TreeMap<>();
        for (int i = 0; i < settings.size(); i += 2) {
            sorted.put(settings.get(i).text(), settings.get(i + 1).text());
        }
        VOLATILE.forEach(sorted::remove);
        text.append(sorted).append('\n');
        String info = connection.call("INFO", "keyspace").text();
        info.lines().filter(line -> line.startsWith("db")).forEach(line -> {
            int database = Integer.parseInt(line.substring(2, line.indexOf(':')));
            connection.call("SELECT", database);
            TreeSet<String> keys = new TreeSet<>();
            connection
                    .call("KEYS", "*")
                    .items()
                    .forEach(key -> keys.add(key.text() + "="
                            + Arrays.hashCode(
                                    connection.call("DUMP", key.bytes()).bytes())));
            text.append(database).append(keys).append('\n');
        });
        connection.call("SELECT", 0);
        Reply functions = connection.ask("FUNCTION", "LIST", "WITHCODE");
        text.append(functions.isError() ? "" : functions).append('\n');
        connection
                .call("INFO", "memory")
                .text()
                .lines()
                .filter(line -> line.startsWith("number_of_cached_scripts"))
                .forEach(text::append);
        return text.toString();
    }

    @Override
    public void close() {
        source.close();
        target.close();
    }
}
