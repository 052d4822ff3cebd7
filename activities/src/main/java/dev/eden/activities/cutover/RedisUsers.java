package dev.eden.activities.cutover;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUser;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.store.ServerRecords;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The users that a Redis is to have once it owns writes: what clients log in with may have changed on the active side since they were copied. */
final class RedisUsers {
    /** The rules a side's users have when it is the active one. */
    static final String FINAL_ACL = "final:acl";
    /** The rules found by preparation. */
    private static final String SAVED_ACL = "saved:acl";

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
     * Stores and answers what {@code standby} is to have when {@code active}, whose users are {@code here} now, hands over to it.
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
        if (!following.equals(known)) {
            records.put(migration, standby, FINAL_ACL, following.encode());
        }
        return following;
    }

    private Optional<AclSnapshot> saved(String endpoint) {
        return records.get(migration, endpoint, SAVED_ACL).map(AclSnapshot::decode);
    }

    private static Stream<String> names(List<AclUser> users) {
        return users.stream().map(AclUser::name);
    }
}
