package dev.eden.proxy.redis;

/** What connections must have in common to be shared; {@code protocol} is 2 or 3. */
record PoolKey(ServerAddress server, Identity identity, int database, int protocol) {
    PoolKey on(ServerAddress other) {
        return new PoolKey(other, identity, database, protocol);
    }

    PoolKey as(Identity other) {
        return new PoolKey(server, other, database, protocol);
    }

    PoolKey database(int other) {
        return new PoolKey(server, identity, other, protocol);
    }

    PoolKey protocol(int other) {
        return new PoolKey(server, identity, database, other);
    }
}
