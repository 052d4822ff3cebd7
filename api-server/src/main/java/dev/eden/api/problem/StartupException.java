package dev.eden.api.problem;

/** Why a process of Eden's can't start: one line and what to do; shown without a stack trace, the exit code is not 0. */
public final class StartupException extends RuntimeException {
    private final String remedy;

    public StartupException(String message, String remedy) {
        super(message, null, false, false);
        this.remedy = remedy;
    }

    public String remedy() {
        return remedy;
    }
}
