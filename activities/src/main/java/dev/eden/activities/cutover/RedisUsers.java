package dev.eden.activities.cutover;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUser;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.store.ServerRecords;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The users that a Redis is to have once it owns writes: what clients log in with may have changed on the active side since they were copied. */
final class RedisUsers {
    /** The rules a side's users have when it is the active one. */
    static final String FINAL_ACL = "final:acl";
    /** The rules found by preparation. */
    private static final String SAVED_ACL = "saved:acl";

    /** Names of users that could not be given back. */
    private static final String LEFT_OUT = "left-out:acl";

    private static final Logger LOGGER = LoggerFactory.getLogger(RedisUsers.class);

    private final ServerRecords records;
    private final String migration;

    RedisUsers(ServerRecords records, String migration) {
        this.records = records;
        this.migration = migration;
    }

    /** As they were last stored. */
    AclSnapshot stored(String endpoint) {
        return AclSnapshot.decode(records.get(migration, endpoint, FINAL_ACL)
                .or(() -> records.get(migration, endpoint, SAVED_ACL))
                .orElseThrow(() -> new IllegalStateException("the users of " + endpoint + " are not stored")));
    }

    /**
     * Stores and answers what {@code standby} is to have when {@code active}, whose users are {@code here} now, hands over to it. It has been given all that
     * is new to it, fenced: what it refuses of that (another version's rules) would keep clients out, and is said while nobody waits.
     *
     * @param to the standby's server
     */
    AclSnapshot follow(String active, AclSnapshot here, String standby, RespConnection to) {
        AclSnapshot known = stored(standby);
        Optional<AclSnapshot> found = saved(standby);
        Optional<AclSnapshot> foundHere = saved(active);
        Set<String> came = new LinkedHashSet<>(found.map(AclSnapshot::created).orElse(List.of()));
        int before = came.size();
        Set<String> own = names(foundHere.map(AclSnapshot::users).orElse(List.of()))
                .filter(name -> !came.contains(name))
                .collect(Collectors.toSet());
        Set<String> shared = Stream.concat(
                        came.stream(), foundHere.map(AclSnapshot::created).orElse(List.of()).stream())
                .collect(Collectors.toSet());
        Set<String> present = names(AclUsers.read(to)).collect(Collectors.toSet());
        AclSnapshot following = known.following(here, shared, own, present);
        names(following.users()).filter(name -> known.user(name).isEmpty()).forEach(came::add);
        if (found.isPresent() && came.size() > before) {
            // Whoever cleans up takes these away with the others.
            records.put(
                    migration,
                    standby,
                    SAVED_ACL,
                    found.get().withCreated(List.copyOf(came)).encode());
        }
        List<String> refused = refused(following, known, present, to);
        if (!refused.isEmpty()) {
            List<String> made = names(following.users())
                    .filter(name -> !present.contains(name))
                    .toList();
            AclUsers.restore(to, new AclSnapshot(following.selectors(), List.of(), made));
            throw new IllegalStateException(standby + " refuses the rules of users of " + active + ": "
                    + String.join("; ", refused) + " (change them on " + active + ")");
        }
        if (!following.equals(known)) {
            records.put(migration, standby, FINAL_ACL, following.encode());
        }
        records.remove(migration, active, LEFT_OUT);
        return following;
    }

    private static List<String> refused(
            AclSnapshot following, AclSnapshot known, Set<String> present, RespConnection to) {
        List<String> refused = new ArrayList<>();
        for (AclUser user : following.users()) {
            boolean asBefore = known.user(user.name()).filter(user::equals).isPresent();
            if (!asBefore || !present.contains(user.name())) {
                try {
                    AclUsers.createFenced(to, user, following.selectors());
                } catch (RedisException e) {
                    refused.add("user " + user.name() + ": " + e.getMessage());
                }
            }
        }
        return refused;
    }

    /**
     * {@code endpoint}, the owner of writes, serves these users. One whose rules its server refuses is left out, with an error in the log and a
     * {@linkplain #leftOut blocker}: all others' clients must not wait for it.
     */
    void giveBack(RespConnection owner, String endpoint, AclSnapshot users) {
        Map<String, String> refused = AclUsers.restoreAccepted(owner, users);
        refused.forEach((name, why) -> LOGGER.atError()
                .addKeyValue("migration", migration)
                .addKeyValue("endpoint", endpoint)
                .addKeyValue("user", name)
                .addKeyValue("problem", why)
                .log("a user's rules are refused: it is kept out"));
        if (!refused.isEmpty()) {
            records.put(migration, endpoint, LEFT_OUT, String.join("\n", refused.keySet()));
        }
    }

    /** Of those that {@link #giveBack} left out, who is out still: what such a user may do now must not be taken for its rules. */
    List<String> leftOut(String endpoint, RespConnection owner) {
        Set<String> names = records.get(migration, endpoint, LEFT_OUT)
                .map(text -> Set.of(text.split("\n")))
                .orElse(Set.of());
        return names.isEmpty()
                ? List.of()
                : names(AclUsers.read(owner).stream()
                                .filter(user -> user.on() && user.fenced())
                                .toList())
                        .filter(names::contains)
                        .toList();
    }

    private Optional<AclSnapshot> saved(String endpoint) {
        return records.get(migration, endpoint, SAVED_ACL).map(AclSnapshot::decode);
    }

    private static Stream<String> names(List<AclUser> users) {
        return users.stream().map(AclUser::name);
    }
}
