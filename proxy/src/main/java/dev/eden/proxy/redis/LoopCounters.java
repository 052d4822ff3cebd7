package dev.eden.proxy.redis;

/** Totals of one loop, written by its thread only; others read copies made there. */
final class LoopCounters {
    long operations;
    long standbyOperations;
    long errors;
    long standbyErrors;
    long clientsAccepted;
    long clientsRefused;
    long tlsFailures;
    long connectFailures;
    long inDoubt;
    long slowClosed;
    long protocolErrors;
    long held;
    long reissued;
    long replayed;
    long watchesBroken;
    long carriedSubscribers;
    long fencedRetries;
    long acknowledgedAlone;
    long backendConnections;
    long exclusiveConnections;
    long eligibleReads;
    long chosenReads;
    long servedByStandby;
}
