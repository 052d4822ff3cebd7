package dev.eden.proxy.postgres;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Prepared} as servers have it: PostgreSQL makes constants of literals, and types of parameters, when it parses a text, by the settings of that moment,
 * and does not do it again when those change. So the same text has another name under other settings.
 */
final class Variant {
    final Prepared statement;
    /** By which the text was read; null: only whom it was made for knows. */
    final @Nullable Settings under;

    private final long number;
    private byte[] name;
    private int generation;

    Variant(Prepared statement, long number, @Nullable Settings under) {
        this.statement = statement;
        this.number = number;
        this.under = under;
        this.name = name(0);
    }

    /** The name on servers, before it was renewed {@code generation} times and no more. */
    byte[] name(int generation) {
        return ("eden_" + Long.toString(number, 36) + (generation == 0 ? "" : "_" + generation))
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** The name on servers, now. */
    byte[] name() {
        return name;
    }

    int generation() {
        return generation;
    }

    /** What servers have by its name may not be used any more: from now on it is another statement. */
    void renew() {
        generation++;
        name = name(generation);
    }
}
