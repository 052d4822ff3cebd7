package dev.eden.activities.store;

import java.util.List;
import java.util.Set;

/** The users of a PostgreSQL whose passwords interlays have been given. */
public interface UserDirectory {
    /** Where no interlay has been given any. */
    UserDirectory NONE = _ -> Set.of();

    /** Names of those that every one of {@code interlays} has. */
    Set<String> configured(List<String> interlays);
}
