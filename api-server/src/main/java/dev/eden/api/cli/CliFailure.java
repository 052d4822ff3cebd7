package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** A client verb that ends otherwise than well: what for, and what to do. {@link #problem()} is the server's document, if it sent one. */
final class CliFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ExitCode exitCode;
    private final String remedy;
    private final transient @Nullable JsonNode problem;

    CliFailure(ExitCode exitCode, String message, String remedy) {
        this(exitCode, message, remedy, null);
    }

    CliFailure(ExitCode exitCode, String message, String remedy, @Nullable JsonNode problem) {
        super(message);
        this.exitCode = exitCode;
        this.remedy = remedy;
        this.problem = problem;
    }

    ExitCode exitCode() {
        return exitCode;
    }

    String remedy() {
        return remedy;
    }

    @Nullable
    JsonNode problem() {
        return problem;
    }
}
