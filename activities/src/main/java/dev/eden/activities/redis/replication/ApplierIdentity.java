package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Failpoints;
import java.util.ArrayList;
import java.util.List;

/**
 * The right to write a server as applier: a Redis user per migration and generation. Taking it away is the strong form of the applier's
 * fence: {@code ACL DELUSER} closes the user's connections, and what they sent but the server has not read yet is lost with them.
 *
 * <p>An applier that stalled between taking its generation and making its user must not come back as a second writer. So a claim is
 * written into the {@linkplain ReplicationLedger#appliedKey applied key} before anything else: it is refused when the key has a newer
 * generation, or a fence of its own epoch (or a later one). A claim before the fence means that the user existed before the fence, and so
 * {@link #turn} deletes it.
 */
public final class ApplierIdentity {
    static final String PREFIX = "eden-apply-";
    private static final String FENCE = "fence";
    private static final int TRIES = 1_000;

    private ApplierIdentity() {}

    /** Somebody newer, or a fence, was there first. */
    static final class ClaimRefusedException extends RuntimeException {
        ClaimRefusedException(String message) {
            super(message);
        }
    }

    static String user(String migration, long generation) {
        return PREFIX + migration + "-" + generation;
    }

    /** Makes the user: every key, every command but those that change the server itself. */
    static void grant(RespConnection control, Backend.Login login) {
        control.call(
                "ACL",
                "SETUSER",
                login.user(),
                "reset",
                "on",
                ">" + login.password().reveal(),
                "~*",
                "&*",
                "+@all",
                "-acl",
                "-config",
                "-shutdown",
                "-debug",
                "-replicaof",
                "-slaveof",
                "-failover",
                "-module",
                "-save",
                "-bgsave",
                "-bgrewriteaof",
                "-monitor",
                "-psync",
                "-sync",
                "-cluster",
                "-migrate");
    }

    /** Claims the server for the generation, on the connection that will apply. */
    static void claim(RespConnection applier, String migration, long epoch, long generation) {
        String key = ReplicationLedger.appliedKey(migration);
        while (true) {
            applier.call("WATCH", key);
            List<Reply> values = applier.call("HMGET", key, "generation", FENCE).items();
            long newest = number(values.get(0));
            long fence = number(values.get(1));
            if (newest > generation || fence >= epoch) {
                applier.call("UNWATCH");
                throw new ClaimRefusedException("generation " + generation + " of epoch " + epoch
                        + " may not write: newest " + newest + ", fence " + fence);
            }
            applier.call("MULTI");
            applier.call("HSET", key, "generation", generation);
            if (!applier.call("EXEC").isNull()) {
                return;
            }
        }
    }

    /** Deletes the users of generations before this one. */
    static void removeOlder(RespConnection control, String migration, long generation) {
        List<String> older = users(control.call("ACL", "USERS"), migration).stream()
                .filter(user -> generation(user, migration) < generation)
                .toList();
        delete(control, older);
    }

    /**
     * Takes the appliers' identity away on this server for the epoch in which it was written last: no batch of theirs can land afterwards,
     * not even one of a process that wakes up later. To be called when the routes are not STABLE, so that no new generation is handed out.
     * Idempotent.
     *
     * @return where the log of the other direction begins: this server's position once none of their sessions is left. A write of Eden's own
     *     right behind it makes sure that the log's selected database is 0 there, or is said before the next command (Redis source, {@code
     *     replicationFeedSlaves}).
     */
    public static RouteLedger.Position turn(RespConnection control, String migration) {
        String key = ReplicationLedger.appliedKey(migration);
        long epoch = Math.max(0, number(control.call("HGET", key, "epoch")));
        control.send("HSET", key, FENCE, epoch);
        control.send("ACL", "USERS");
        control.flush();
        control.read().number();
        List<String> users = users(control.read(), migration);
        for (int left = TRIES; left > 0; left--) {
            delete(control, users);
            // The sessions of a deleted user are gone before the next command is read; the position counts only if they
            // are.
            control.send("CLIENT", "LIST");
            control.send("MULTI");
            control.send("INFO", "replication");
            control.send("SET", "eden:{" + migration + "}:turn", System.currentTimeMillis());
            control.send("EXEC");
            control.flush();
            List<Reply> replies = control.read(5);
            if (sessions(replies.getFirst(), migration) == 0 || Failpoints.mutant("applier-identity-kept")) {
                return SourceReads.position(replies.getLast().items().getFirst().text());
            }
            users = users(control.call("ACL", "USERS"), migration);
        }
        throw new IllegalStateException("a session of the applier is still alive");
    }

    /** After an attempt was given up: appliers of the epoch may claim this server again. Idempotent. */
    public static void reinstate(RespConnection control, String migration) {
        control.call("HDEL", ReplicationLedger.appliedKey(migration), FENCE);
    }

    /** How many sessions appliers of this migration have on the server. */
    public static long sessions(RespConnection control, String migration) {
        return sessions(control.call("CLIENT", "LIST"), migration);
    }

    private static long sessions(Reply clients, String migration) {
        return clients.text()
                .lines()
                .filter(line -> line.contains(" user=" + PREFIX + migration + "-"))
                .count();
    }

    private static void delete(RespConnection control, List<String> users) {
        if (!users.isEmpty() && !Failpoints.mutant("applier-identity-kept")) {
            List<Object> command = new ArrayList<>(List.of("ACL", "DELUSER"));
            command.addAll(users);
            control.call(command.toArray());
        }
    }

    private static List<String> users(Reply users, String migration) {
        return users.items().stream()
                .map(Reply::text)
                .filter(user -> generation(user, migration) >= 0)
                .toList();
    }

    /** -1 for other users, also for those of a migration whose id merely begins alike. */
    private static long generation(String user, String migration) {
        String prefix = PREFIX + migration + "-";
        if (!user.startsWith(prefix)) {
            return -1;
        }
        String rest = user.substring(prefix.length());
        return rest.matches("\\d{1,18}") ? Long.parseLong(rest) : -1;
    }

    private static long number(Reply reply) {
        return reply.isNull() ? -1 : reply.number();
    }
}
