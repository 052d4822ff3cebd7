package dev.eden.activities.redis.acl;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Eden's own users on a server, one set per migration: <em>control</em> does everything the migration needs, <em>proxy</em> only
 * reads, <em>apply</em> (made by the replicator, one per generation) writes the stream.
 */
public final class EdenUsers {
    /** Names of logins in {@link ServerRecords}. */
    public static final String CONTROL_LOGIN = "login:control";

    public static final String PROXY_LOGIN = "login:proxy";

    private static final Logger LOGGER = LoggerFactory.getLogger(EdenUsers.class);
    private static final Duration AGAIN = Duration.ofSeconds(2);
    private static final String PREFIX = "eden-";
    private static final List<String> CONTROL_RULES = List.of("on", "~*", "&*", "+@all");

    /** Reads, subscriptions, taking back blocked clients; no writes. PFCOUNT is left out: it may write its cached count into the key. */
    private static final List<String> PROXY_RULES = List.of(
            "on",
            "~*",
            "&*",
            "+@read",
            "-@dangerous",
            "-pfcount",
            "+info",
            "+ping",
            "+echo",
            "+hello",
            "+auth",
            "+reset",
            "+select",
            "+command",
            "+time",
            "+client|setname",
            "+client|getname",
            "+client|id",
            "+client|unblock",
            "+script|load",
            "+script|exists",
            "+subscribe",
            "+unsubscribe",
            "+psubscribe",
            "+punsubscribe",
            "+pubsub",
            "+xinfo");

    private static final List<String> PROXY_RULES_7 = List.of("+ssubscribe", "+sunsubscribe", "+quit");

    private EdenUsers() {}

    public static String control(String migration) {
        return PREFIX + "control-" + migration;
    }

    public static String proxy(String migration) {
        return PREFIX + "proxy-" + migration;
    }

    /** Eden's, of whatever migration: never fenced. */
    public static boolean isEden(String user) {
        return user.startsWith(PREFIX);
    }

    /** Made for this migration: removed by its cleanup. */
    public static boolean belongsTo(String user, String migration) {
        return user.equals(control(migration))
                || user.equals(proxy(migration))
                || Pattern.matches("eden-apply-" + Pattern.quote(migration) + "-\\d+", user);
    }

    /** Makes both users, or brings them back to their rules; idempotent; two round trips. */
    public static void create(RespConnection connection, String migration, Endpoint endpoint, ServerRecords records) {
        Backend.Login control = records.login(migration, endpoint.id(), CONTROL_LOGIN, control(migration));
        Backend.Login proxy = records.login(migration, endpoint.id(), PROXY_LOGIN, proxy(migration));
        make(connection, control, proxy);
    }

    private static void make(RespConnection connection, Backend.Login control, Backend.Login proxy) {
        List<String> proxyRules = new ArrayList<>(PROXY_RULES);
        if (ServerInfo.read(connection, "server").atLeast(7, 0)) {
            proxyRules.addAll(PROXY_RULES_7);
        }
        setUser(connection, control, CONTROL_RULES);
        setUser(connection, proxy, proxyRules);
    }

    /** Removes all users of the migration; the connection may be one of theirs: then it is closed by the server afterwards. */
    public static void remove(RespConnection connection, String migration) {
        List<Object> command = new ArrayList<>(List.of("ACL", "DELUSER"));
        AclUsers.read(connection).stream()
                .map(AclUser::name)
                .filter(name -> belongsTo(name, migration))
                .forEach(name -> command.add(AclUser.raw(name)));
        if (command.size() > 2) {
            connection.call(command.toArray());
        }
    }

    /**
     * What {@code connect} answers for the control user's login. Where the server has forgotten that user, because it keeps its users in memory and was
     * restarted, Eden's users are made again by the endpoint's own login first: the fence went with them. Not once a cleanup has
     * {@linkplain #forget forgotten} them: a worker that was cut off from Eden while another cleaned up is refused.
     */
    public static <T> T loggedIn(
            String migration, Endpoint endpoint, ServerRecords records, Function<Backend.Login, T> connect) {
        Backend.Login login = controlLogin(migration, endpoint, records);
        try {
            return connect.apply(login);
        } catch (RedisException refused) {
            if (!refused.code().equals("WRONGPASS")) {
                throw refused;
            }
        }
        controlLogin(migration, endpoint, records);
        Backend.Login proxy = stored(migration, endpoint, records, PROXY_LOGIN);
        try (RespConnection own = RespConnection.connect(endpoint, session(migration), AGAIN)) {
            make(own, login, proxy);
            if (records.storedLogin(migration, endpoint.id(), CONTROL_LOGIN).isEmpty()) {
                // A cleanup came between: it removes users after it has forgotten them, so either it or this sees the
                // others' work.
                remove(own, migration);
                throw gone(migration, endpoint);
            }
        }
        LOGGER.atWarn()
                .addKeyValue("migration", migration)
                .addKeyValue("endpoint", endpoint.id())
                .log("the server had forgotten Eden's users: made again");
        return connect.apply(login);
    }

    /** The control user's login, never a new one; throws {@link RedisException} where none is stored (any more). */
    public static Backend.Login controlLogin(String migration, Endpoint endpoint, ServerRecords records) {
        return stored(migration, endpoint, records, CONTROL_LOGIN);
    }

    private static Backend.Login stored(String migration, Endpoint endpoint, ServerRecords records, String name) {
        return records.storedLogin(migration, endpoint.id(), name).orElseThrow(() -> gone(migration, endpoint));
    }

    private static RedisException gone(String migration, Endpoint endpoint) {
        return new RedisException("WRONGPASS Eden has no users of " + migration + " on " + endpoint.id());
    }

    private static String session(String migration) {
        return "eden:control:" + migration;
    }

    /**
     * Ends all other sessions of this name, those of the endpoint's own login too: a try of the preparation that was given up for dead and is not. Where
     * the server does not let Eden look there is nothing to end.
     */
    public static void endOthers(RespConnection connection, String migration) {
        Reply clients = connection.ask("CLIENT", "LIST");
        if (clients.isError()) {
            return;
        }
        long self = connection.clientId();
        for (String client : clients.text().split("\n")) {
            List<String> fields = List.of(client.strip().split(" "));
            String id = fields.getFirst().replaceFirst("^id=", "");
            if (fields.contains("name=" + session(migration)) && !id.equals(Long.toString(self))) {
                connection.ask("CLIENT", "KILL", "ID", id);
            }
        }
    }

    /** Before {@link #remove}: whoever comes late must not make them again. */
    public static void forget(String migration, Endpoint endpoint, ServerRecords records) {
        records.remove(migration, endpoint.id(), CONTROL_LOGIN);
    }

    /**
     * A session of the control user, or, where the server does not know it (yet, or any more), of the endpoint's own login. Throws
     * {@link RedisConnectionException} when the server cannot be reached, {@link RedisException} when it admits neither.
     */
    public static RespConnection connect(String migration, Endpoint endpoint, ServerRecords records, Duration timeout) {
        String name = session(migration);
        Optional<Backend.Login> login = records.storedLogin(migration, endpoint.id(), CONTROL_LOGIN);
        if (login.isEmpty()) {
            return RespConnection.connect(endpoint, name, timeout);
        }
        try {
            return RespConnection.connect(endpoint, login.get(), name, timeout);
        } catch (RedisException refused) {
            if (!refused.code().equals("WRONGPASS")) {
                throw refused;
            }
            return RespConnection.connect(endpoint, name, timeout);
        }
    }

    /**
     * Like {@link #connect}, the other way round: the endpoint's own login, or the control user where that is fenced by now. A first
     * run thus leaves no failed login in the server's {@code ACL LOG}.
     */
    public static RespConnection connectFirst(
            String migration, Endpoint endpoint, ServerRecords records, Duration timeout) {
        RespConnection own = RespConnection.connect(endpoint, session(migration), timeout);
        Reply answer = own.ask("ACL", "WHOAMI");
        if (answer instanceof Reply.Error error && error.code().equals("NOPERM")) {
            own.close();
            return connect(migration, endpoint, records, timeout);
        }
        return own;
    }

    private static void setUser(RespConnection connection, Backend.Login login, List<String> rules) {
        List<Object> command = new ArrayList<>(List.of("ACL", "SETUSER", login.user(), "reset"));
        command.add("#" + sha256(login.password().reveal()));
        command.addAll(rules);
        connection.call(command.toArray());
    }

    /** Redis stores a password as the SHA-256 of its bytes (Redis documentation, "ACL SETUSER": {@code #<hash>}). */
    private static String sha256(String password) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(password.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
