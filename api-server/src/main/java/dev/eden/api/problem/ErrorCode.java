package dev.eden.api.problem;

/**
 * The one catalogue of errors. {@link #slug()} is stable: it ends the problem's {@code type} and is what programs compare; title,
 * remedy and {@link #retry()} are for people and may get better words.
 */
public enum ErrorCode {
    MALFORMED_JSON(400, "The body is not JSON", "Send one JSON object in UTF-8.", Retry.NEVER),
    BODY_TOO_LARGE(413, "The body is too large", "Send less than 1 MiB.", Retry.NEVER),
    UNSUPPORTED_MEDIA_TYPE(
            415, "The body's media type is not supported", "Send Content-Type: application/json.", Retry.NEVER),
    NOT_ACCEPTABLE(406, "No answer in that media type", "Accept application/json.", Retry.NEVER),
    INVALID_FIELDS(422, "Some fields are not right", "Correct the fields listed under errors.", Retry.NEVER),
    INVALID_PARAMETER(
            400, "A query parameter is not right", "Correct the parameters listed under errors.", Retry.NEVER),
    BAD_REQUEST(400, "The request can't be understood", "See the API's description.", Retry.NEVER),
    UNAUTHENTICATED(401, "A valid token is needed", "Send Authorization: Bearer TOKEN.", Retry.NEVER),
    FORBIDDEN(403, "The token's role does not allow this", "Use a token of the role the detail names.", Retry.NEVER),
    TOO_MANY_FAILURES(429, "Too many failed logins from this address", "Wait for Retry-After seconds.", Retry.LATER),
    PATH_NOT_FOUND(404, "There is no such path", "See the API's description.", Retry.NEVER),
    METHOD_NOT_ALLOWED(405, "The path does not know this method", "Use a method of the Allow header.", Retry.NEVER),
    ENDPOINT_NOT_FOUND(404, "There is no such endpoint", "GET /api/v1/endpoints lists them.", Retry.NEVER),
    ENDPOINT_EXISTS(409, "The endpoint exists", "Choose another id, or PUT the existing one.", Retry.NEVER),
    ENDPOINT_IN_USE(409, "The endpoint is in use", "Remove what uses it first.", Retry.LATER),
    ENDPOINT_IN_MIGRATION(409, "The endpoint is in another migration", "End that migration first.", Retry.LATER),
    ENDPOINT_UNREACHABLE(
            502, "The database does not answer", "Check address, network, TLS and credentials.", Retry.LATER),
    INTERLAY_NOT_FOUND(404, "There is no such interlay", "GET /api/v1/interlays lists them.", Retry.NEVER),
    INTERLAY_EXISTS(409, "The interlay exists", "Choose another id.", Retry.NEVER),
    INTERLAY_IN_USE(409, "The interlay is in use", "End its migration and stop its proxies first.", Retry.LATER),
    INTERLAY_UNBOUND(
            409, "The interlay has no endpoint yet", "Create the endpoint it stands in front of first.", Retry.NEVER),
    ENGINE_MISMATCH(422, "The engines differ", "A migration stays within one engine.", Retry.NEVER),
    MIGRATION_NOT_FOUND(404, "There is no such migration", "GET /api/v1/migrations lists them.", Retry.NEVER),
    MIGRATION_EXISTS(409, "The migration exists", "Choose another id.", Retry.NEVER),
    MIGRATION_NOT_STARTED(409, "The migration has not been started", "POST …/migrate starts it.", Retry.LATER),
    MIGRATION_STARTED(409, "The migration has been started", "Use the commands listed under allowed.", Retry.NEVER),
    MIGRATION_ENDED(409, "The migration has ended", "Create a new one.", Retry.NEVER),
    MIGRATION_WITHOUT_INTERLAY(
            409,
            "The migration has no interlay yet",
            "POST /api/v1/migrations/{id}/interlay/{interlay} with the target's endpoint.",
            Retry.NEVER),
    MIGRATION_SIDES_DIFFER(
            409,
            "The interlay belongs to another pair of endpoints",
            "One migration has one source and one target.",
            Retry.NEVER),
    COMMAND_REFUSED(409, "The command is refused now", "See detail, blockers and allowed.", Retry.LATER),
    PREFLIGHT_REFUSED(
            409, "Preflight found what would make the migration fail", "Follow the findings' remedies.", Retry.LATER),
    VALIDATION_NOT_FOUND(404, "There is no validation report yet", "It is written in phase validating.", Retry.LATER),
    TOKEN_NOT_FOUND(404, "There is no such token", "GET /api/v1/tokens lists them.", Retry.NEVER),
    IDEMPOTENCY_KEY_REUSED(
            422, "The Idempotency-Key was used for another request", "Use a new key for a new request.", Retry.NEVER),
    IDEMPOTENCY_IN_PROGRESS(
            409, "The first request with this Idempotency-Key still runs", "Send it again soon.", Retry.SOON),
    STORE_UNAVAILABLE(503, "Eden's store does not answer", "Traffic goes on; try again soon.", Retry.SOON),
    ORCHESTRATOR_UNAVAILABLE(503, "Temporal does not answer", "Traffic goes on; try again soon.", Retry.SOON),
    COMMAND_TIMED_OUT(
            504,
            "The workflow has not answered in time",
            "Send it again with the same Idempotency-Key: a repeated command is harmless.",
            Retry.SOON),
    NOT_AVAILABLE(501, "This server can't do that yet", "See the changelog.", Retry.NEVER),
    INTERNAL(500, "Eden made a mistake", "Report the incident number; the server's log has the rest.", Retry.SOON);

    /** Whether sending the same request again helps. */
    public enum Retry {
        NEVER,
        SOON,
        LATER
    }

    private final int status;
    private final String title;
    private final String remedy;
    private final Retry retry;

    ErrorCode(int status, String title, String remedy, Retry retry) {
        this.status = status;
        this.title = title;
        this.remedy = remedy;
        this.retry = retry;
    }

    public int status() {
        return status;
    }

    public String title() {
        return title;
    }

    public String remedy() {
        return remedy;
    }

    public Retry retry() {
        return retry;
    }

    /** {@code endpoint-not-found}: ends the problem's type URI. */
    public String slug() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
