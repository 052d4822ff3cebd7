package dev.eden.activities.redis.acl;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The users of a server as they were at a moment, Eden's own left out: what a fence is put on and what a restore puts back. It holds
 * password hashes: store it encrypted only.
 *
 * @param selectors the server knows selectors (7.0 and later)
 * @param users in the server's order
 * @param created names that Eden itself makes on this server and that a restore of this snapshot removes again
 */
public record AclSnapshot(boolean selectors, List<AclUser> users, List<String> created) {
    private static final String HEADER = "acl 1 ";

    /** Reads the server; two round trips. */
    public static AclSnapshot take(RespConnection connection) {
        boolean selectors = ServerInfo.read(connection, "server").atLeast(7, 0);
        List<AclUser> users = AclUsers.read(connection).stream()
                .filter(user -> !EdenUsers.isEden(user.name()))
                .toList();
        return new AclSnapshot(selectors, users, List.of());
    }

    public Optional<AclUser> user(String name) {
        return users.stream().filter(user -> user.name().equals(name)).findFirst();
    }

    public AclSnapshot withCreated(List<String> names) {
        return new AclSnapshot(selectors, users, List.copyOf(names));
    }

    /** These users and, of {@code other}, those that are not here. */
    public AclSnapshot withMissingOf(AclSnapshot other) {
        List<AclUser> all = new ArrayList<>(users);
        other.users.stream().filter(user -> this.user(user.name()).isEmpty()).forEach(all::add);
        return new AclSnapshot(selectors, List.copyOf(all), List.of());
    }

    /**
     * These users as they should be once the side of {@code active} has handed over: who came with the migration has the rules of now there; who was made
     * there since comes too. Who is gone there stays here as long as the server of this side knows them: one that keeps its users in memory has forgotten
     * them after a restart. Gone on both, they were revoked. Users that either side had itself stay as and where they are.
     *
     * @param shared names that came with the migration
     * @param activesOwn names that the side of {@code active} had before the migration and that did not come here with it
     * @param present names that the server of this side knows now
     */
    public AclSnapshot following(AclSnapshot active, Set<String> shared, Set<String> activesOwn, Set<String> present) {
        List<AclUser> all = new ArrayList<>();
        for (AclUser user : users) {
            if (!shared.contains(user.name())) {
                all.add(user);
            } else {
                active.user(user.name())
                        .or(() -> Optional.of(user).filter(gone -> present.contains(gone.name())))
                        .ifPresent(all::add);
            }
        }
        active.users.stream()
                .filter(user -> this.user(user.name()).isEmpty() && !activesOwn.contains(user.name()))
                .forEach(all::add);
        return new AclSnapshot(selectors, List.copyOf(all), List.of());
    }

    /** The stored form; {@link #decode} reads it. */
    public String encode() {
        StringBuilder text = new StringBuilder(HEADER)
                .append(selectors ? "selectors" : "plain")
                .append('\n');
        created.forEach(name -> text.append("created ").append(name).append('\n'));
        users.forEach(user -> text.append(user.line()).append('\n'));
        return text.toString();
    }

    public static AclSnapshot decode(String text) {
        if (!text.startsWith(HEADER)) {
            throw new IllegalArgumentException("not a stored ACL snapshot");
        }
        boolean selectors = false;
        List<AclUser> users = new ArrayList<>();
        List<String> created = new ArrayList<>();
        for (String line : text.split("\n")) {
            if (line.startsWith(HEADER)) {
                selectors = line.endsWith("selectors");
            } else if (line.startsWith("created ")) {
                created.add(line.substring("created ".length()));
            } else if (!line.isEmpty()) {
                users.add(AclUser.parse(line));
            }
        }
        return new AclSnapshot(selectors, List.copyOf(users), List.copyOf(created));
    }

    /** Never the rules: they hold password hashes. */
    @Override
    public String toString() {
        return "AclSnapshot[" + users.size() + " users, " + created.size() + " created]";
    }
}
