package dev.eden.workflows;

import org.jspecify.annotations.Nullable;

/** The workflow's argument; {@code carried} is what continue-as-new takes along ({@code null} at the first start). */
public record MigrationInput(MigrationSpec spec, @Nullable CarriedState carried, int continueAfterEvents) {}
