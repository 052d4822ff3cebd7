package dev.eden.activities.redis;

/** How near a server is to its {@code maxmemory}, and what it does there (Redis documentation, "Key eviction"). */
public record MemoryLimit(ServerInfo info) {
    private static final double SCARCE = 0.95;

    /** It deletes keys by itself to make room. */
    public boolean evicts() {
        return limit() > 0 && !policy().equals("noeviction");
    }

    public String policy() {
        return info.text("maxmemory_policy");
    }

    /** Less than 5 % is left, however it makes room. */
    public boolean scarce() {
        return limit() > 0 && used() > limit() * SCARCE;
    }

    /** It has nothing to make room of: a server that evicts any key always has, however full it is. */
    public boolean refusesWhenFull() {
        return limit() > 0 && !policy().startsWith("allkeys-") && (!evicts() || info.expiringKeys() == 0);
    }

    /** Writes are refused now. */
    public boolean refuses() {
        return refusesWhenFull() && used() >= limit();
    }

    private long limit() {
        return info.number("maxmemory");
    }

    /** As the server counts it: without the buffers of replicas and of the append-only file. */
    private long used() {
        return info.number("used_memory") - info.number("mem_not_counted_for_evict");
    }
}
