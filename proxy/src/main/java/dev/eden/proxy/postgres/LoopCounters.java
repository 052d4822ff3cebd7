package dev.eden.proxy.postgres;

import java.util.Map;
import java.util.TreeMap;

/** Totals of one loop, written by its thread only; others read copies made there. */
final class LoopCounters {
    long clientsAccepted;
    long clientsRefused;
    long loginsFailed;
    long connectFailures;
    long inDoubt;
    long protocolErrors;
    /** Sessions that ended by a fault of the proxy. */
    long failures;

    long held;
    long waited;
    long waitsRefused;
    long cancelsForwarded;
    long cancelsIgnored;
    long cancelsPassedOn;
    long pinsProbedClean;
    long sessionsCarried;
    long sessionsEnded;
    long backendConnections;
    long eligibleReads;
    long chosenReads;
    long servedByStandby;
    /** That only read and whose reads the standby may serve. */
    long readTransactions;

    long shadowCompared;
    long shadowMismatched;
    /** Reads whose rows changed whenever they were looked at, or that the standby did not reach. */
    long shadowUnsettled;
    /** Reads that the standby could not serve, by reason. */
    final Map<String, Long> ineligible = new TreeMap<>();

    final long[] pins = new long[Pin.values().length];
}
