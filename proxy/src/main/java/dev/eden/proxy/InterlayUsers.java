package dev.eden.proxy;

import dev.eden.proxy.postgres.StoredVerifier;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the proxies of an interlay are told of its users: those whose passwords it has been given, by name.
 *
 * @param unreadable those of them whose passwords no key of this process opens: nobody takes one of them for a user without
 * @param seed of the salts that names get which nobody has: with one of its own each process would show another salt, and two of them together who
 *     exists; null where the store has none
 */
public record InterlayUsers(
        Map<String, User> byName,
        Set<String> unreadable,
        @Nullable Secret seed) {
    public static final InterlayUsers NONE = new InterlayUsers(Map.of(), null);

    public InterlayUsers(Map<String, User> byName, @Nullable Secret seed) {
        this(byName, Set.of(), seed);
    }

    /** @param verifier as a server would store it; made once for all proxies, as it takes milliseconds and has a salt that they must share */
    public record User(Secret password, Secret verifier) {
        public static User of(Secret password) {
            return new User(password, StoredVerifier.of(password));
        }
    }
}
