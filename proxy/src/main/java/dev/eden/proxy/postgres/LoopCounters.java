package dev.eden.proxy.postgres;

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
    long pinsProbedClean;
    long sessionsCarried;
    long sessionsEnded;
    long backendConnections;
    final long[] pins = new long[Pin.values().length];
}
