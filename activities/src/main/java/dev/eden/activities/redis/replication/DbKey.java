package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.EscapedKey;
import java.util.Arrays;

/** A key in a database; compares by content. */
@SuppressWarnings("ArrayRecordComponent")
public record DbKey(int database, byte[] key) {

    @Override
    public boolean equals(Object other) {
        return other instanceof DbKey that && database == that.database && Arrays.equals(key, that.key);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(key) + database;
    }

    /** Escaped, as it may appear in messages. */
    @Override
    public String toString() {
        return database + ":" + EscapedKey.of(key);
    }
}
