package dev.eden.proxy;

import java.util.Map;

/**
 * Totals since the proxy started and percentiles over the last window (about 5 s), by side. {@code ineligible}: reads that
 * could not go to the standby, by reason. {@code comparedReads} were asked of both sides, {@code mismatchedReads} of them had different rows.
 */
public record TrafficReport(
        long connections,
        long backendConnections,
        long pinnedConnections,
        Side active,
        Side standby,
        long eligibleReads,
        long chosenReads,
        long servedByStandby,
        long comparedReads,
        long mismatchedReads,
        Map<String, Long> ineligible) {

    public record Side(long operations, long errors, double p50Millis, double p99Millis, long samples) {}
}
