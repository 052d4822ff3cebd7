package dev.eden.demo.chaos;

import java.util.List;

/**
 * What to run.
 *
 * @param beginning points of the migration's beginning, all planted before it starts
 * @param faults in this order, one at a time
 * @param ending points of the migration's end, all planted before it is finalised
 * @param seconds after which no further fault is begun; the migration is driven to its end all the same
 * @param share of the eligible reads that the target serves while it is the standby
 * @param deadlineMillis of each attempt; a slow machine needs more than production's 100
 * @param proxies 2 or 3
 */
record ChaosOptions(
        List<String> beginning,
        boolean killAtEnds,
        List<Fault> faults,
        List<String> ending,
        long seed,
        int seconds,
        int keys,
        int clients,
        int rate,
        double share,
        int deadlineMillis,
        int proxies) {}
