package dev.eden.workflows;

/** The answer to an accepted command: {@code repeated} when this command id had been seen before. */
public record CommandReceipt(String commandId, boolean repeated, MigrationView view) {}
