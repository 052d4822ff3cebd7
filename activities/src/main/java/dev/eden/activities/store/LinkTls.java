package dev.eden.activities.store;

/** PostgreSQL: how the other server of a migration verifies this one, which has TLS, when it replicates from it. */
public sealed interface LinkTls {
    /** The first version whose libpq finds them. */
    int SYSTEM_ROOTS_SINCE = 16;

    /** Against the authorities of its operating system where its libpq can, else not at all. */
    record OfSystem() implements LinkTls {}

    /** Encrypted, and not verified. */
    record Unverified() implements LinkTls {}

    /** Against those of {@code file}, PEM, on the machine of the server that connects. */
    record OfFile(String file) implements LinkTls {}

    /** Whether a server of that version makes sure whom it replicates from. */
    default boolean verifiedBy(int major) {
        return switch (this) {
            case OfSystem _ -> major >= SYSTEM_ROOTS_SINCE;
            case Unverified _ -> false;
            case OfFile _ -> true;
        };
    }
}
