package dev.eden.demo.chaos;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The ways on which data goes, which can be cut and nothing else. Owner and standby are the databases that own the writes and that follow when the fault
 * is planted; what PostgreSQL replicates natively goes from one to the other, in whichever direction.
 */
enum Way implements Victim {
    SERVER_OWNER(Node.SERVER, true),
    SERVER_STANDBY(Node.SERVER, false),
    PROXY_1_OWNER(Node.PROXY_1, true),
    PROXY_1_STANDBY(Node.PROXY_1, false),
    PROXY_2_OWNER(Node.PROXY_2, true),
    PROXY_2_STANDBY(Node.PROXY_2, false),
    PROXY_3_OWNER(Node.PROXY_3, true),
    PROXY_3_STANDBY(Node.PROXY_3, false),
    OWNER_STANDBY(Node.STANDBY, true);

    private final Node process;
    private final boolean toOwner;

    Way(Node process, boolean toOwner) {
        this.process = process;
        this.toOwner = toOwner;
    }

    /** Those that there are. */
    static List<Way> all(int proxies, boolean databasesToo) {
        return Arrays.stream(values())
                .filter(way -> way.proxy() < proxies && (databasesToo || way != OWNER_STANDBY))
                .toList();
    }

    @Override
    public String label() {
        String words = name().toLowerCase(Locale.ROOT).replace('_', '-');
        int end = words.lastIndexOf('-');
        return words.substring(0, end) + '~' + words.substring(end + 1);
    }

    @Override
    public Node process() {
        return process;
    }

    boolean toOwner() {
        return toOwner;
    }

    @Override
    public int proxy() {
        return process.proxy();
    }
}
