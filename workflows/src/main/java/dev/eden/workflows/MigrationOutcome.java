package dev.eden.workflows;

/** How a migration ended: {@code phase} is {@code completed} or {@code rolled_back}. */
public record MigrationOutcome(String phase, int flips) {}
