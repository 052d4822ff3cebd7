package dev.eden.workflows;

import org.jspecify.annotations.Nullable;

/**
 * The workflow's argument.
 *
 * @param carried what continue-as-new takes along; {@code null} at the first start
 * @param continueAfterEvents length of the history after which a run hands over to a new one, beside the server's own
 *     suggestion (the in-process test server never suggests); 0: only when suggested. It must be well above the events of one
 *     phase (a few dozen)
 */
public record MigrationInput(MigrationSpec spec, @Nullable CarriedState carried, int continueAfterEvents) {}
