package dev.eden.demo.chaos;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The processes that faults strike. The server holds the coordinator, the workers and the applier; {@code STANDBY} is the database that follows
 * when the fault is planted.
 */
enum Node implements Victim {
    SERVER,
    PROXY_1,
    PROXY_2,
    PROXY_3,
    STORE,
    TEMPORAL,
    STANDBY;

    @Override
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public Node process() {
        return this;
    }

    static List<Node> proxies(int count) {
        return Arrays.stream(values())
                .filter(node -> node.proxy() >= 0 && node.proxy() < count)
                .toList();
    }

    @Override
    public int proxy() {
        return switch (this) {
            case PROXY_1 -> 0;
            case PROXY_2 -> 1;
            case PROXY_3 -> 2;
            case SERVER, STORE, TEMPORAL, STANDBY -> -1;
        };
    }
}
