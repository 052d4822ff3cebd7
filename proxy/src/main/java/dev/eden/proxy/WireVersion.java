package dev.eden.proxy;

/**
 * The version of what proxies and the rest of Eden say to each other through the store: rows, states, steps and who may change what.
 *
 * <table>
 * <caption>What each version has</caption>
 * <tr><td>1</td><td>a proxy states nothing</td></tr>
 * <tr><td>2</td><td>it states its version when it joins, and with each report whether it serves</td></tr>
 * </table>
 *
 * A proxy speaks the newest version that it and the store have in common, so that either may be upgraded first. A server takes
 * {@link #OLDEST} to {@link #NEWEST}: raising the oldest ends what proxies of that version may join, and no attempt begins while one is there.
 */
public final class WireVersion {
    public static final int OLDEST = 1;
    public static final int NEWEST = 2;

    /** A proxy that is told so speaks as an older one: before a downgrade of the servers, and in tests. */
    public static final String PROPERTY = "eden.wire";

    private WireVersion() {}

    /** The newest that proxies of this process speak. */
    public static int configured() {
        return Math.clamp(Integer.getInteger(PROPERTY, NEWEST), OLDEST, NEWEST);
    }

    /**
     * The version that a proxy speaks with a store that takes {@code oldest} to {@code newest}. Throws {@link WireRefusedException} where they have
     * none in common.
     */
    public static int agreed(int mine, int oldest, int newest) {
        int version = Math.min(mine, newest);
        if (version < oldest || version < OLDEST) {
            throw new WireRefusedException(mine, oldest, newest);
        }
        return version;
    }

    /** Whether a server of this version can lead an attempt with a proxy that speaks {@code version}. */
    public static boolean taken(int version) {
        return version >= OLDEST && version <= NEWEST;
    }
}
