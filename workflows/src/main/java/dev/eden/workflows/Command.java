package dev.eden.workflows;

/**
 * What an operator may ask of a running migration. Every command carries an id (at-least-once delivery is harmless), the
 * actor and a reason; it arrives as an Update or as a Signal of the same name and both end in one handler.
 */
public record Command(Kind kind, String id, String actor, String reason, @org.jspecify.annotations.Nullable Strategy strategy) {

    /** The commands; {@link #label()} is the REST path, the update name and the signal name. */
    public enum Kind {
        ADVANCE("advance"),
        PAUSE("pause"),
        RESUME("resume"),
        ABORT("abort"),
        CUTOVER("cutover"),
        ROLLBACK("rollback"),
        FINALIZE("finalize"),
        PATCH_STRATEGY("patch_strategy");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }
}
