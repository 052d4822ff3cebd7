package dev.eden.activities.redis;

/** How near a server is to its {@code maxmemory}, and what it does there (Redis documentation, "Key eviction"). */
public record MemoryLimit(ServerInfo info) {
    private static final double SCARCE = 0.95;
    /** One key in so many has to have an expiry: fewer are soon evicted, and then there is nothing left to make room of. */
    private static final long ENOUGH = 10;

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

    /** It has too little to make room of: a server that evicts any key always has enough, however full it is. */
    public boolean refusesWhenFull() {
        return limit() > 0 && !policy().startsWith("allkeys-") && (!evicts() || fewExpire());
    }

    private boolean fewExpire() {
        long expiring = info.expiringKeys();
        return expiring == 0 || expiring * ENOUGH < info.keys();
    }

    /** Writes are refused now. */
    public boolean refuses() {
        boolean nothingToEvict = !evicts() || (!policy().startsWith("allkeys-") && info.expiringKeys() == 0);
        return limit() > 0 && nothingToEvict && used() >= limit();
    }

    private long limit() {
        return info.number("maxmemory");
    }

    /** As the server counts it: without the buffers of replicas and of the append-only file. */
    private long used() {
        return info.number("used_memory") - info.number("mem_not_counted_for_evict");
    }
}
