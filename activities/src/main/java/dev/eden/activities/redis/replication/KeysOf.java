package dev.eden.activities.redis.replication;

import java.util.List;
import java.util.Optional;

/** The keys of a whole command (its name first); empty optional where they can't be known. */
@FunctionalInterface
interface KeysOf {
    Optional<List<byte[]>> keys(List<byte[]> arguments);
}
