package dev.eden.activities.redis.acl;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The server's fence: every user but Eden's loses every command except the few a handshake needs. It holds for strangers, stalled
 * proxies and bytes in kernel buffers alike, because Redis checks the rules when a command runs (also for connections that are open,
 * and for each queued command at EXEC). Users named {@code eden-…} are never touched, so Eden cannot lock itself out.
 */
public final class AclUsers {
    private static final Pattern CLIENT_FIELD = Pattern.compile("(\\w[\\w-]*)=(\\S*)");

    private static final String DEFAULT = "default";

    /** How the answer to {@code ACL SETUSER} begins where it is the rules that the server does not take. */
    private static final String RULE_REFUSED = "ERR Error in ACL SETUSER modifier";

    private AclUsers() {}

    /** {@code ACL LIST}, Eden's users included; one round trip. */
    public static List<AclUser> read(RespConnection connection) {
        return parse(connection.call("ACL", "LIST"));
    }

    /**
     * Fences every user of the snapshot and ends the blocked clients of others than Eden (a BLPOP that waits would still be served
     * by a later push). One round trip, a second one only where blocked clients were found; idempotent. Throws {@link RedisException}
     * when the server refuses, and when it has a user that the snapshot lacks: that one could not be restored, so take a new snapshot.
     */
    public static void fence(RespConnection connection, AclSnapshot snapshot) {
        fence(connection, snapshot, 0, List.of());
    }

    /**
     * Fences as {@link #fence(RespConnection, AclSnapshot)}; what was sent on the connection before and not flushed goes out with it.
     *
     * @param before how many replies to that come first
     * @param behind commands that run once every user is fenced, in the same round trip
     * @return their replies, errors included
     */
    public static List<Reply> fence(
            RespConnection connection, AclSnapshot snapshot, int before, List<Object[]> behind) {
        List<byte[]> rules = AclUser.fence(snapshot.selectors());
        for (AclUser user : snapshot.users()) {
            setUser(connection, user.name(), rules);
        }
        connection.send("ACL", "LIST");
        connection.send("ACL", "CAT", "blocking");
        connection.send("CLIENT", "LIST");
        behind.forEach(connection::send);
        connection.flush();
        connection.read(before).forEach(AclUsers::refuse);
        List<Reply> replies = connection.read(snapshot.users().size() + 3);
        List<Reply> answers = connection.read(behind.size());
        replies.forEach(AclUsers::refuse);
        List<String> unfenced = unfenced(parse(replies.get(replies.size() - 3)));
        if (!unfenced.isEmpty()) {
            throw new RedisException("ERR users are not fenced: " + String.join(", ", unfenced)
                    + " (made or changed since the snapshot was taken)");
        }
        Set<String> blocking = new HashSet<>();
        replies.get(replies.size() - 2).items().forEach(name -> blocking.add(name.text()));
        killBlocked(connection, replies.getLast().text(), blocking);
        return answers;
    }

    /**
     * Gives every user of the snapshot exactly the rules it had, and removes the users that {@link AclSnapshot#created()} names. One
     * round trip; idempotent. Throws {@link RedisException} for the first rule that the server refuses, after all were sent.
     */
    public static void restore(RespConnection connection, AclSnapshot snapshot) {
        restore(connection, snapshot, snapshot.users());
    }

    /**
     * Like {@link #restore}, but goes on past users whose rules the server does not take; answers what it said, by user. Throws for any other refusal: that
     * is not one user's.
     */
    public static Map<String, String> restoreAccepted(RespConnection connection, AclSnapshot snapshot) {
        List<String> names = snapshot.users().stream()
                .map(AclUser::name)
                .filter(name -> !EdenUsers.isEden(name))
                .toList();
        List<Reply> replies = sendRestore(connection, snapshot, snapshot.users());
        Map<String, String> refused = new LinkedHashMap<>();
        for (int i = 0; i < replies.size(); i++) {
            if (i < names.size()
                    && replies.get(i) instanceof Reply.Error error
                    && error.message().startsWith(RULE_REFUSED)) {
                refused.put(names.get(i), error.message());
            } else {
                refuse(replies.get(i));
            }
        }
        return refused;
    }

    /** Like {@link #restore}, but leaves alone whoever is not fenced now: what an operator changed meanwhile stays. Two round trips. */
    public static void restoreFenced(RespConnection connection, AclSnapshot snapshot) {
        List<AclUser> present = read(connection);
        Set<String> unfenced = new HashSet<>(unfenced(present));
        restore(
                connection,
                snapshot,
                snapshot.users().stream()
                        .filter(user -> !unfenced.contains(user.name()))
                        .toList());
    }

    private static void restore(RespConnection connection, AclSnapshot snapshot, List<AclUser> users) {
        sendRestore(connection, snapshot, users).forEach(AclUsers::refuse);
    }

    private static List<Reply> sendRestore(RespConnection connection, AclSnapshot snapshot, List<AclUser> users) {
        int sent = 0;
        for (AclUser user : users) {
            if (!EdenUsers.isEden(user.name())) {
                setUser(connection, user.name(), user.definition(snapshot.selectors()));
                sent++;
            }
        }
        List<String> remove = snapshot.created().stream()
                .filter(name -> !EdenUsers.isEden(name) && !name.equals(DEFAULT))
                .toList();
        if (!remove.isEmpty()) {
            List<Object> command = new ArrayList<>(List.of("ACL", "DELUSER"));
            remove.forEach(name -> command.add(AclUser.raw(name)));
            connection.send(command.toArray());
            sent++;
        }
        connection.flush();
        return connection.read(sent);
    }

    /** True where every user but Eden's is fenced; one round trip. */
    public static boolean fenced(RespConnection connection) {
        return unfencedUsers(connection).isEmpty();
    }

    /** The users, Eden's left out, that can do more than the harmless few; one round trip. */
    public static List<String> unfencedUsers(RespConnection connection) {
        return unfenced(read(connection));
    }

    /** Writes the users to the server's ACL file as they are; answers whether it has one. */
    public static boolean persist(RespConnection connection) {
        if (!hasFile(connection)) {
            return false;
        }
        connection.call("ACL", "SAVE");
        return true;
    }

    /**
     * Writes a fenced server's users to its ACL file so that the fence outlives a restart; answers whether the server has one.
     *
     * <p>In the file the user {@code default} keeps its commands and is switched off: nobody can be it after a restart, but the server can. Redis
     * loads its append-only file as that user and checks each transaction's commands at EXEC: with a {@code default} that may do nothing,
     * every transaction in the file is silently left out (seen with 7.0.15; Redis source, {@code createAOFClient} and {@code execCommand}).
     *
     * @param unfenced the users as they were before the fence
     */
    public static boolean persistFence(RespConnection connection, AclSnapshot unfenced) {
        if (!hasFile(connection)) {
            return false;
        }
        AclUser before = unfenced.user(DEFAULT).orElse(null);
        AclUser now = AclSnapshot.take(connection).user(DEFAULT).orElse(null);
        if (before == null || now == null) {
            connection.call("ACL", "SAVE");
            return true;
        }
        List<byte[]> saved = new ArrayList<>(before.definition(unfenced.selectors()));
        saved.add(AclUser.raw("off"));
        connection.send("MULTI");
        setUser(connection, DEFAULT, saved);
        connection.send("ACL", "SAVE");
        setUser(connection, DEFAULT, now.definition(unfenced.selectors()));
        connection.send("EXEC");
        connection.flush();
        List<Reply> replies = connection.read(5);
        replies.forEach(AclUsers::refuse);
        replies.getLast().items().forEach(AclUsers::refuse);
        return true;
    }

    private static boolean hasFile(RespConnection connection) {
        Reply file = connection.ask("CONFIG", "GET", "aclfile");
        return !file.isError()
                && file.items().size() >= 2
                && !file.items().get(1).text().isEmpty();
    }

    /** Makes a user of the given rules, in the fenced form. One round trip. */
    public static void createFenced(RespConnection connection, AclUser user, boolean selectors) {
        List<byte[]> rules = new ArrayList<>(user.definition(selectors));
        rules.addAll(AclUser.fence(selectors));
        setUser(connection, user.name(), rules);
        connection.flush();
        refuse(connection.read());
    }

    private static void killBlocked(RespConnection connection, String clients, Set<String> blocking) {
        int sent = 0;
        for (String line : clients.split("\n")) {
            String user = "";
            String flags = "";
            String command = "";
            String id = "";
            Matcher field = CLIENT_FIELD.matcher(line);
            while (field.find()) {
                switch (field.group(1)) {
                    case "id" -> id = field.group(2);
                    case "user" -> user = field.group(2);
                    case "flags" -> flags = field.group(2);
                    case "cmd" -> command = field.group(2);
                    default -> {}
                }
            }
            // CLIENT PAUSE marks the clients it holds as blocked too: those meet the fence when it ends, nothing of
            // theirs has run.
            boolean waits = blocking.contains(command) || command.indexOf('.') >= 0;
            if (!id.isEmpty() && flags.contains("b") && waits && !EdenUsers.isEden(user)) {
                connection.send("CLIENT", "KILL", "ID", id);
                sent++;
            }
        }
        connection.flush();
        connection.read(sent).forEach(AclUsers::refuse);
    }

    private static void setUser(RespConnection connection, String name, List<byte[]> rules) {
        List<Object> command = new ArrayList<>(rules.size() + 3);
        command.add("ACL");
        command.add("SETUSER");
        command.add(AclUser.raw(name));
        command.addAll(rules);
        connection.send(command.toArray());
    }

    private static List<String> unfenced(List<AclUser> users) {
        return users.stream()
                .filter(user -> !EdenUsers.isEden(user.name()) && !user.fenced())
                .map(AclUser::name)
                .toList();
    }

    private static List<AclUser> parse(Reply list) {
        return list.items().stream()
                .map(line -> AclUser.parse(new String(line.bytes(), StandardCharsets.ISO_8859_1)))
                .toList();
    }

    private static void refuse(Reply reply) {
        if (reply instanceof Reply.Error error) {
            throw new RedisException(error.message());
        }
    }
}
