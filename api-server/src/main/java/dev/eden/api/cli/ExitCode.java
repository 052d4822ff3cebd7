package dev.eden.api.cli;

/** What {@code eden} ends with; scripts rely on the numbers. docs/cli.md has the same table. */
public enum ExitCode {
    DONE(0, "done", "go on with the command that the answer ends with"),
    FAILED(1, "something could not be started, read or done", "follow the remedy on standard error"),
    USAGE(2, "the command line or the request is not right", "correct it; standard error says what was meant"),
    REFUSED(3, "the server refuses it now (409)", "read why and the blockers; one of the allowed commands helps"),
    NOT_FOUND(4, "there is no such thing (404)", "list what there is: eden migration list, eden endpoint list"),
    NOT_ALLOWED(5, "no token, an unknown one, or one of too low a role", "check the context: eden context list"),
    UNREACHABLE(6, "the server, or what it needs, does not answer", "try again; traffic goes on meanwhile"),
    NOT_CONFIRMED(
            7,
            "a cutover, a rollback or a removal was not confirmed",
            "type the id that is asked for, or give --yes in a script"),
    ENDED_BADLY(
            8,
            "a plan has failures, a rehearsal was aborted, the audit log is not whole, or a watched migration was rolled back, has failed or needs an operator",
            "follow the remedies; eden migration status ID says where it stands"),
    TIMED_OUT(9, "what was waited for did not come within --timeout", "wait longer, or look: eden migration status ID"),
    INTERRUPTED(
            130,
            "interrupted by Ctrl-C, or nobody reads what watch and --follow write",
            "a migration goes on without its watcher");

    private final int code;
    private final String meaning;
    private final String remedy;

    ExitCode(int code, String meaning, String remedy) {
        this.code = code;
        this.meaning = meaning;
        this.remedy = remedy;
    }

    public int code() {
        return code;
    }

    public String meaning() {
        return meaning;
    }

    public String remedy() {
        return remedy;
    }

    /** Of an HTTP status that is not 2xx. */
    static ExitCode ofStatus(int status) {
        return switch (status) {
            case 401, 403, 429 -> NOT_ALLOWED;
            case 404 -> NOT_FOUND;
            case 409 -> REFUSED;
            case 502, 503, 504 -> UNREACHABLE;
            default -> status >= 400 && status < 500 ? USAGE : FAILED;
        };
    }
}
